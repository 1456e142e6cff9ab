"""IFEval's `keywords` kinds: words and letters that must, or must not, occur. Case never matters.

Keywords also count inside longer words (`sneaker` in `sneakers`), as in published figures; forbidden words are
whole words.
"""

import re
from typing import Annotated

from pydantic import Field

from components.shared.artifacts.artifact import Record
from components.shared.judges.constraints.kind import Count, Kind, Kinds, Relation, Word, holds


class Keywords(Record):
    """Words that must all occur."""

    keywords: Annotated[tuple[Word, ...], Field(min_length=1)]


class Frequency(Record):
    """A word, and how often it occurs."""

    keyword: Word
    frequency: Count
    relation: Relation


class ForbiddenWords(Record):
    """Words of which none may occur."""

    forbidden_words: Annotated[tuple[Word, ...], Field(min_length=1)]


class LetterFrequency(Record):
    """A letter or sign, and how often it occurs."""

    letter: Annotated[Word, Field(max_length=1)]
    let_frequency: Count
    let_relation: Relation


def _all_occur(arguments: Keywords, answer: str) -> bool:
    text = answer.casefold()
    return all(keyword.casefold().strip() in text for keyword in arguments.keywords)


def _word_often(arguments: Frequency, answer: str) -> bool:
    count = answer.casefold().count(arguments.keyword.casefold().strip())
    return holds(count, arguments.relation, arguments.frequency)


def _none_occurs(arguments: ForbiddenWords, answer: str) -> bool:
    return not any(
        re.search(rf"(?<!\w){re.escape(word.strip())}(?!\w)", answer, re.IGNORECASE)
        for word in arguments.forbidden_words
    )


def _letter_often(arguments: LetterFrequency, answer: str) -> bool:
    count = answer.casefold().count(arguments.letter.casefold())
    return holds(count, arguments.let_relation, arguments.let_frequency)


KEYWORD_KINDS: Kinds = {
    "keywords:existence": Kind(Keywords, _all_occur),
    "keywords:frequency": Kind(Frequency, _word_often),
    "keywords:forbidden_words": Kind(ForbiddenWords, _none_occurs),
    "keywords:letter_frequency": Kind(LetterFrequency, _letter_often),
}
