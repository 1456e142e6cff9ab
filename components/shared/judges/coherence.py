"""Finds answers that are not language: empty, or the same few words, lines or characters repeated.

Rules only: fluent nonsense passes.
"""

import re
from collections import Counter

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.judge import Judgement, RuleJudge
from components.shared.judges.text import folded, plain
from components.shared.vocabulary import Verdict

_RUN = 4
"""Words in a repeated run."""
_MAX_REPEATED_SHARE = 0.5
"""Above this share of repeated words, lines or characters, the answer is a loop."""
_FEW_WORDS = 8
"""Shorter answers may repeat one word: "No no no!"."""
_TAIL = 60
"""Words at the end that are checked separately: an answer may begin well and end in a loop."""
_MAX_TAIL_SHARE = 0.8
_FEW_LINES = 8
_LONG_WORD, _READ_OF_A_WORD = 32, 2000
"""A word of at least so many characters is searched for a loop, in its first so many."""
_LOOP_IN_A_WORD = re.compile(r"(.{1,12}?)\1{7,}")


def incoherence(answer: str) -> str | None:
    """Why an answer is not coherent, or None when it is."""
    words = plain(answer).split()
    if not words:
        return "empty answer"
    if not any(character.isalnum() for word in words for character in word):
        return "no word in the answer"
    return _repeated_run(words) or _repeated_word(words) or _loop_without_spaces(words) or _repeated_line(answer)


def _repeated_run(words: list[str]) -> str | None:
    for part, limit in ((words, _MAX_REPEATED_SHARE), (words[-_TAIL:], _MAX_TAIL_SHARE)):
        runs = Counter(zip(*(part[start:] for start in range(_RUN)), strict=False))
        if runs and 1 - len(runs) / runs.total() > limit:
            run, count = runs.most_common(1)[0]
            return f"repeats {' '.join(run)!r} {count} times"
    return None


def _repeated_word(words: list[str]) -> str | None:
    if len(words) >= _FEW_WORDS and max(Counter(words).values()) / len(words) > _MAX_REPEATED_SHARE:
        return "one word makes up more than half of the answer"
    return None


def _loop_without_spaces(words: list[str]) -> str | None:
    """A loop inside long words, such as "hahaha" or a script without spaces, that fills most of the answer."""
    looped = 0
    unit = ""
    for word in words:
        if len(word) < _LONG_WORD:
            continue
        loop = _LOOP_IN_A_WORD.search(word[:_READ_OF_A_WORD])
        if loop and any(map(str.isalnum, loop.group(1))):  # a ruled line is no loop
            unit = unit or loop.group(1)
            looped += len(word) if loop.end() == _READ_OF_A_WORD else len(loop.group())
    if looped > _MAX_REPEATED_SHARE * sum(map(len, words)):
        return f"repeats {unit!r} without a space"
    return None


def _repeated_line(answer: str) -> str | None:
    lines = [line for line in map(str.strip, folded(answer).splitlines()) if any(map(str.isalnum, line))]
    if len(lines) < _FEW_LINES:
        return None
    line, count = Counter(lines).most_common(1)[0]
    return f"repeats the line {line!r} {count} times" if count > _MAX_REPEATED_SHARE * len(lines) else None


def judge_coherence(_prompt: SuitePrompt, answer: str) -> Judgement:
    """`incoherent` with the reason, or `pass`."""
    if why := incoherence(answer):
        return Judgement(Verdict.INCOHERENT, why)
    return Judgement(Verdict.PASS, "reads as language")


COHERENCE = RuleJudge("coherence", "3", judge_coherence)
