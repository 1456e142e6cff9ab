"""Counts words and sentences of an answer, by rules.

An abbreviation that is not listed ends a sentence, and a text without spaces is one word.
"""

import re

_BETWEEN_WORDS = re.compile(r"[\s/\u2013\u2014]+|--+")
_NEW_BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+\u2022#]|\d{1,3}[.)])\s)")
_LIST_NUMBER = re.compile(r"^\s*(?:[-*+\u2022]\s+)?\d{1,3}[.)]\s")
_STOP = re.compile(
    r"(?<![.!?\u2026])[.!?\u2026]++[\"'\u201d\u2019)\]*_]*+(?=\s|$)"
    r"|[\u3002\uff01\uff1f\u0964]++[\"'\u201d\u2019\u300d]*+"
    r"|[\u061f\u06d4](?=\s|$)"
)
_NEXT = re.compile(r"\s*(\S?)")
_ABBREVIATED = re.compile(
    r"(?:^|[^\w.])(?:(?i:mr|mrs|ms|dr|prof|st|vs|fig|e\.g|i\.e|cf|approx|dept|vol|pp|gen|sen)|[A-HJ-Z])$"
)
"""Before a full stop: a title or an initial, never the end of a sentence."""
_LONGEST_ABBREVIATION = 8


def words(text: str) -> list[str]:
    """Words: runs between spaces, slashes or dashes that hold a letter or digit; `don't` and `well-known` are one."""
    return [word for word in _BETWEEN_WORDS.split(text) if any(character.isalnum() for character in word)]


def count_sentences(text: str) -> int:
    """Sentences: they end at `.`, `!`, `?` or their like before a space, at a blank line and at a list item.

    A full stop after a title, an initial or a list's number, or before a small letter, ends nothing.
    """
    return sum(_sentences_of_block(block) for block in _NEW_BLOCK.split(text))


def _sentences_of_block(block: str) -> int:
    block = _LIST_NUMBER.sub("", block)
    count, start = 0, 0
    for stop in _STOP.finditer(block):
        if _goes_on(block, stop):
            continue
        count += _says_something(block[start : stop.start()])
        start = stop.end()
    return count + _says_something(block[start:])


def _goes_on(block: str, stop: re.Match[str]) -> bool:
    following = _NEXT.match(block, stop.end())
    if following and following.group(1).islower():
        return True
    before = block[max(0, stop.start() - _LONGEST_ABBREVIATION) : stop.start()]
    return stop.group(0) == "." and _ABBREVIATED.search(before) is not None


def _says_something(piece: str) -> bool:
    return any(character.isalnum() for character in piece)
