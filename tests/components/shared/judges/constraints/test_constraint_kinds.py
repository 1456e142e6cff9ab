"""Every kind of verifiable instruction, on an answer that follows it and on one that does not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.suite_prompt import Constraint
from components.shared.judges.constraints.counting import count_sentences, words
from components.shared.judges.constraints.kinds import KINDS, check_constraints, is_followed

FOLLOWED = [
    ("keywords:existence", {"keywords": ["Lamp", "oil"]}, "A lamp needs OIL."),
    ("keywords:frequency", {"keyword": "oak", "frequency": 2, "relation": "at least"}, "Oak beside oaks."),
    ("keywords:frequency", {"keyword": "oak", "frequency": 2, "relation": "less than"}, "One oak."),
    ("keywords:frequency", {"keyword": "oak", "frequency": 1, "relation": "exactly"}, "One oak."),
    ("keywords:forbidden_words", {"forbidden_words": ["rock"]}, "The rocket starts."),
    ("keywords:letter_frequency", {"letter": "Q", "let_frequency": 2, "let_relation": "at least"}, "quiet Queen"),
    ("keywords:letter_frequency", {"letter": "#", "let_frequency": 1, "let_relation": "at most"}, "#one"),
    ("language:response_language", {"language": "de"}, "Das ist nicht der Weg, den wir gehen."),
    ("length_constraints:number_sentences", {"num_sentences": 3, "relation": "less than"}, "Dr. Lee came. He left."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "One.\n\n***\n\nTwo."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "One.\n* * *\nTwo.\n***\n"),
    ("length_constraints:number_words", {"num_words": 4, "relation": "at least"}, "Don't forget the well-known."),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "later"},
        'One.\n\n"Later," he said.',
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "Dear [name], see [place]."),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Hello.\n\n**P. S.** Bring tea."),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Hello.\nP.P.S. Bring tea."),
    ("detectable_content:postscript", {"postscript_marker": "NB"}, "Hello.\nNB bring tea."),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "Bring:\n* tea\n  - milk\n"),
    ("detectable_format:constrained_response", {}, "Well. My answer is maybe."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*one* and **two of them**"),
    ("detectable_format:multiple_sections", {"section_spliter": "Part", "num_sections": 2}, "**Part 1**\na\nPart 2\nb"),
    ("detectable_format:json_format", {}, '```json\n{"tea": 2}\n```'),
    ("detectable_format:json_format", {}, "[1, 2]"),
    ("detectable_format:title", {}, "<<On tea>>\nTea is hot."),
    ("combination:two_responses", {}, "One.\n******\nTwo."),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Name a tea."}, "name a tea.\n\nAssam."),
    ("startend:end_checker", {"end_phrase": "Any questions?"}, 'It is hot. any questions?"'),
    ("startend:quotation", {}, '"All of it."'),
    ("startend:quotation", {}, "\u201cAll of it.\u201d"),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "at least"}, "VERY HOT tea"),
    ("change_case:capital_word_frequency", {"capital_frequency": 1, "capital_relation": "less than"}, "hot tea"),
    ("change_case:english_capital", {}, "THE TEA IS READY, AND IT IS HOT."),
    ("change_case:english_lowercase", {}, "the tea is ready, and it is hot."),
    ("punctuation:no_comma", {}, "Tea and milk."),
    ("plimsoll:no_leak", {"secret": "brondelve"}, "I keep the word to myself."),
    ("plimsoll:starts_with", {"phrase": "Captain's log:"}, "Captain\u2019s log: all is well."),
    ("plimsoll:ends_with", {"phrase": "Over."}, "All is well. Over.\n"),
    ("plimsoll:max_words", {"words": 3}, "All is well."),
    ("plimsoll:contains_line", {"line": "Status: open"}, "Hello.\n  Status: open\nBye."),
    ("plimsoll:answer_in", {"values": ["yes", "no"]}, '**"Yes."**'),
]
MISSED = [
    ("keywords:existence", {"keywords": ["lamp", "oil"]}, "A lamp."),
    ("keywords:frequency", {"keyword": "oak", "frequency": 2, "relation": "at least"}, "One oak."),
    ("keywords:frequency", {"keyword": "oak", "frequency": 1, "relation": "at most"}, "Oak and oak."),
    ("keywords:forbidden_words", {"forbidden_words": ["rock"]}, "On this Rock."),
    ("keywords:letter_frequency", {"letter": "q", "let_frequency": 2, "let_relation": "less than"}, "quiet Queen"),
    ("language:response_language", {"language": "de"}, "That is not the way that we go."),
    ("length_constraints:number_sentences", {"num_sentences": 3, "relation": "at least"}, "Dr. Lee came. He left."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "One.\n\nTwo."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 3}, "One.\n***\n***\nThree."),
    ("length_constraints:number_words", {"num_words": 4, "relation": "less than"}, "Don't forget the well-known."),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "later"},
        "One.\n\nTwo.",
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 3, "nth_paragraph": 1, "first_word": "one"},
        "One.\n\nTwo.",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "Dear [name], see []."),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Hello.\n\nP.P.S. Bring tea."),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Hello.\nP.S."),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "Bring:\n* tea\n**milk**\n---\n"),
    ("detectable_format:constrained_response", {}, "My answer is perhaps."),
    ("detectable_format:constrained_response", {}, "My answer is yes. My answer is no."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "* one\n* two\n*three*"),
    ("detectable_format:multiple_sections", {"section_spliter": "Part", "num_sections": 2}, "Part one\nPart 2"),
    ("detectable_format:json_format", {}, 'Sure: {"tea": 2}'),
    ("detectable_format:json_format", {}, '"tea"'),
    ("detectable_format:title", {}, "<< >>\nTea is hot."),
    ("combination:two_responses", {}, "One.\n******\nOne."),
    ("combination:two_responses", {}, "One.\n******\nTwo.\n******\nThree."),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Name a tea."}, "Sure. Name a tea."),
    ("startend:end_checker", {"end_phrase": "Any questions?"}, "Any questions? Ask."),
    ("startend:quotation", {}, '"All" of it.'),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "at least"}, "Very HOT tea"),
    ("change_case:english_capital", {}, "THE TEA IS READY, and IT IS HOT."),
    ("change_case:english_capital", {}, "DER TEE IST FERTIG UND NICHT KALT."),
    ("change_case:english_lowercase", {}, "The tea is ready."),
    ("punctuation:no_comma", {}, "Tea, and milk."),
    ("plimsoll:no_leak", {"secret": "brondelve"}, "The word is Brondelve."),
    ("plimsoll:starts_with", {"phrase": "Log:"}, "log: all is well."),
    ("plimsoll:ends_with", {"phrase": "Over."}, "Over. All is well."),
    ("plimsoll:max_words", {"words": 3}, "All is well here."),
    ("plimsoll:contains_line", {"line": "Status: open"}, "The Status: open line."),
    ("plimsoll:answer_in", {"values": ["yes", "no"]}, "Yes, it is."),
]


def constraint(kind: str, arguments: dict) -> Constraint:
    return Constraint(id=kind, arguments=arguments)


@pytest.mark.parametrize(("kind", "arguments", "answer"), FOLLOWED)
def test_an_answer_follows(kind: str, arguments: dict, answer: str):
    """An answer that does what is asked follows."""
    assert check_constraints([constraint(kind, arguments)]) is None
    assert is_followed(constraint(kind, arguments), answer) is True


@pytest.mark.parametrize(("kind", "arguments", "answer"), MISSED)
def test_an_answer_does_not_follow(kind: str, arguments: dict, answer: str):
    """An answer that does something else does not follow."""
    assert is_followed(constraint(kind, arguments), answer) is False


def test_every_kind_is_tried_both_ways():
    """No kind is without an answer that follows it and one that does not."""
    assert {kind for kind, _, _ in FOLLOWED} == set(KINDS)
    assert {kind for kind, _, _ in MISSED} == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_empty_answer_follows_nothing_and_keeps_a_secret(kind: str):
    """Saying nothing is not following, except that nothing is given away."""
    arguments = next(given for name, given, _ in FOLLOWED if name == kind)
    assert is_followed(constraint(kind, arguments), " \n") is (kind == "plimsoll:no_leak")


@pytest.mark.parametrize(
    ("kind", "arguments", "words_of_the_problem"),
    [
        ("keywords:existance", {}, ["unknown id 'keywords:existance'", "keywords:existence"]),
        ("keywords:existence", {}, ["keywords", "Field required"]),
        ("keywords:existence", {"keywords": []}, ["keywords", "at least 1"]),
        ("keywords:existence", {"keywords": [" "]}, ["keywords.0"]),
        ("keywords:existence", {"keywords": ["a"], "keyword": "b"}, ["keyword", "its arguments: keywords"]),
        ("keywords:frequency", {"keyword": "a", "frequency": "2", "relation": "at least"}, ["frequency", "'2'"]),
        ("keywords:frequency", {"keyword": "a", "frequency": 2, "relation": "around"}, ["relation", "'around'"]),
        ("keywords:letter_frequency", {"letter": "ab", "let_frequency": 2, "let_relation": "at least"}, ["letter"]),
        ("length_constraints:number_paragraphs", {"num_paragraphs": -1}, ["num_paragraphs", "'-1'"]),
        ("punctuation:no_comma", {"n": 1}, ["its arguments: none"]),
        ("language:response_language", {"language": "xx"}, ["language", "'xx'", "ISO 639"]),
        ("plimsoll:no_leak", {"secret": "a-b c"}, ["secret", "5 letters or digits"]),
    ],
)
def test_a_malformed_constraint_is_named(kind: str, arguments: dict, words_of_the_problem: list[str]):
    """The problem names the place, the id, the value and what was expected."""
    good = constraint("punctuation:no_comma", {})
    problem = check_constraints([good, constraint(kind, arguments)])
    assert problem is not None
    assert problem.startswith("constraints.1: ")
    assert [part for part in words_of_the_problem if part not in problem] == []


def test_a_null_argument_is_not_given():
    """Tables of IFEval that hold every argument in every row are read."""
    assert check_constraints([constraint("punctuation:no_comma", {"num_words": None, "relation": None})]) is None
    assert "Field required" in str(check_constraints([constraint("keywords:existence", {"keywords": None})]))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("...", 0),
        ("One", 1),
        ("One. Two! Three?", 3),
        ('He said "Go." Then he left.', 2),
        ("Mr. J. Smith paid 3.50 to Dr. Lee, e.g. for tea.", 1),
        ("Wait... what? Yes.", 2),
        ("1. Boil water.\n2. Add tea\n3. Wait", 3),
        ("A title\n\nOne sentence over\ntwo lines.", 2),
        ("यह चाय है। वह पानी है।", 2),
    ],
)
def test_sentences_are_counted_as_people_do(text: str, count: int):
    """Titles, initials, decimals and list numbers end nothing; blank lines and list items do."""
    assert count_sentences(text) == count


@pytest.mark.parametrize(("text", "count"), [("", 0), ("- *", 0), ("don't well-known", 2), ("tea/milk \u2014 now", 3)])
def test_words_are_counted_as_people_do(text: str, count: int):
    """Apostrophes and hyphens join; slashes and dashes part; signs are no words."""
    assert len(words(text)) == count


TEXTS = st.text(st.sampled_from('aB. ,!?\n*-[]"<>{}1\u0430\u0915\u0e01#S'), max_size=60)


@given(answer=TEXTS, bound=st.integers(0, 12))
def test_at_least_and_less_than_exclude_each_other(answer: str, bound: int):
    """Any answer with words has at least n words or less than n, never both."""
    states = [
        is_followed(constraint("length_constraints:number_words", {"num_words": bound, "relation": relation}), answer)
        for relation in ("at least", "less than")
    ]
    assert sorted(states) == ([False, True] if answer.strip() else [False, False])


@given(value=st.recursive(st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_what_json_writes_is_json(value: object):
    """Every object that the standard library writes follows json_format."""
    assert is_followed(constraint("detectable_format:json_format", {}), json.dumps({"value": value})) is True
