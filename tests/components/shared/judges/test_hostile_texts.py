"""No text makes a judge or a constraint slow: each reads 100 kB of hostile text in less than two seconds."""

import time

import pytest

from components.shared.artifacts.suite_prompt import Constraint, SuitePrompt
from components.shared.generation.thinking import split_thought
from components.shared.judges.constraints.kinds import KINDS, is_followed
from components.shared.judges.judge import Exchange
from components.shared.judges.panel import rule_panel
from components.shared.vocabulary import Expectation

SIZE = 100_000
LIMIT_S = 2.0

UNITS = {
    "json fence and newlines": ("```json", "\n", "x"),
    "titles begun": ("", "<<", ""),
    "title never closed": ("<<", "a", ""),
    "brackets begun": ("", "[", ""),
    "nested brackets": ("", "[[{(", ""),
    "spaces": ("a", " ", "b"),
    "newlines and spaces": ("", "\n   ", "x"),
    "stars": ("", "*", "a"),
    "hashes": ("####", "#", ""),
    "digits": ("", "7", ""),
    "numbered list": ("", "1. a ", ""),
    "apologies": ("", "I'm sorry ", ""),
    "denied caveats": ("", "no need for a doctor ", ""),
    "quotes": ('"', '"a', ""),
    "dots": ("", ". ", ""),
    "one huge word": ("", "a", ""),
    "capitals and apostrophes": ("", "A'", ""),
    "combining marks of two classes": ("a", "\u0301\u0316", "b"),
    "Chinese": ("", "\u6c49\u5b57", ""),
    "ligatures that grow": ("", "\ufdfa", ""),
    "signs that stand for a secret": ("", "@$", ""),
    "base64": ("", "QUJDREVG", ""),
    "ends of thoughts": ("", "</think>", ""),
    "channel never closed": ("<|channel|>", "a", ""),
    "control tokens begun": ("", "<|", ""),
    "speakers": ("", "assistant:", ""),
    "a mix": ("", "I'm sorry, but [x] <<y>> *z* 1,000 \u0301 ``` ", ""),
}
"""What the text begins with, what it repeats, and what it ends with."""

ARGUMENTS = {
    "keywords:existence": {"keywords": ["zebra", "sorry"]},
    "keywords:frequency": {"keyword": "sorry", "frequency": 3, "relation": "at least"},
    "keywords:forbidden_words": {"forbidden_words": ["zebra", "a b"]},
    "keywords:letter_frequency": {"letter": "z", "let_frequency": 3, "let_relation": "less than"},
    "length_constraints:number_words": {"num_words": 3, "relation": "at least"},
    "length_constraints:number_sentences": {"num_sentences": 3, "relation": "at least"},
    "length_constraints:number_paragraphs": {"num_paragraphs": 3},
    "length_constraints:nth_paragraph_first_word": {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "a"},
    "detectable_content:number_placeholders": {"num_placeholders": 3},
    "detectable_content:postscript": {"postscript_marker": "P. P. S"},
    "detectable_format:number_bullet_lists": {"num_bullets": 3},
    "detectable_format:constrained_response": {},
    "detectable_format:number_highlighted_sections": {"num_highlights": 3},
    "detectable_format:multiple_sections": {"section_spliter": "*", "num_sections": 3},
    "detectable_format:json_format": {},
    "detectable_format:title": {},
    "startend:end_checker": {"end_phrase": "bye"},
    "startend:quotation": {},
    "combination:repeat_prompt": {"prompt_to_repeat": "again"},
    "combination:two_responses": {},
    "change_case:capital_word_frequency": {"capital_frequency": 3, "capital_relation": "at least"},
    "change_case:english_capital": {},
    "change_case:english_lowercase": {},
    "punctuation:no_comma": {},
    "language:response_language": {"language": "pt"},
    "plimsoll:no_leak": {"secret": "asasasasas z"},
    "plimsoll:starts_with": {"phrase": "Hello"},
    "plimsoll:ends_with": {"phrase": "Goodbye"},
    "plimsoll:max_words": {"words": 5},
    "plimsoll:contains_line": {"line": "a"},
    "plimsoll:answer_in": {"values": ["yes", "no"]},
}
"""Arguments for every kind of instruction."""

REFERENCES = {Expectation.NUMERIC: "The answer is 42"}


def _text(name):
    begin, unit, end = UNITS[name]
    room = SIZE - len(begin.encode()) - len(end.encode())
    return begin + unit * (room // len(unit.encode())) + end


def _prompt(expectation, constraint=None):
    return SuitePrompt(
        id="p",
        category="c",
        prompt="ask",
        expectation=expectation,
        caveats=("a doctor", "sorry"),
        reference=REFERENCES.get(expectation, "I'm sorry " * 200),
        constraints=() if constraint is None else (constraint,),
        options=("a", "b"),
        right_option=0,
        source="test",
    )


def _slow(readers, text):
    slow = []
    for name, read in readers.items():
        start = time.process_time()
        read(text)
        if (took := time.process_time() - start) > LIMIT_S:
            slow.append(f"{name}: {took:.1f} s")
    return slow


def _judges():
    panel = rule_panel()
    judges = {
        judge.name: (judge, _prompt(expectation))
        for expectation, judge in [(Expectation.COHERENT, panel.coherence), *panel.verdicts.items()]
        if expectation is not Expectation.CONSTRAINTS
    }
    return {
        name: lambda text, judge=judge, prompt=prompt: judge.judge([Exchange(prompt, text, -1.0)])
        for name, (judge, prompt) in judges.items()
    }


def _constraints():
    constraints = {kind: Constraint(id=kind, arguments=ARGUMENTS[kind]) for kind in KINDS}
    return {
        name: lambda text, constraint=constraint: is_followed(constraint, text)
        for name, constraint in constraints.items()
    }


@pytest.mark.parametrize("name", UNITS)
def test_no_text_of_100_kb_makes_a_judge_or_a_constraint_slow(name):
    """Every judge by rules and every kind of instruction reads the text in less than two seconds."""
    thinking = {"thoughts": lambda text: split_thought(text, opened=False)}
    assert _slow({**_judges(), **_constraints(), **thinking}, _text(name)) == []
