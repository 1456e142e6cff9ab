"""IFEval's `length_constraints` kinds: numbers of words, sentences and paragraphs."""

import re

from components.shared.artifacts.artifact import Record
from components.shared.judges.constraints.counting import count_sentences, words
from components.shared.judges.constraints.kind import Count, Kind, Kinds, Relation, Word, holds

_DIVIDER = re.compile(r"(?:(?<=\s)|^)\*[ ]?\*[ ]?\*(?=\s|$)")
_BLANK_LINE = re.compile(r"\n\s*\n")
_FIRST_WORD = re.compile(r"[^\W_]+")


class WordCount(Record):
    """A number of words."""

    num_words: Count
    relation: Relation


class SentenceCount(Record):
    """A number of sentences."""

    num_sentences: Count
    relation: Relation


class ParagraphCount(Record):
    """An exact number of paragraphs with `***` between them."""

    num_paragraphs: Count


class FirstWord(Record):
    """An exact number of paragraphs with blank lines between them, and the first word of one of them."""

    num_paragraphs: Count
    nth_paragraph: Count
    first_word: Word


def _paragraphs(arguments: ParagraphCount, answer: str) -> bool:
    pieces = [piece.strip() for piece in _DIVIDER.split(answer.strip())]
    if pieces and not pieces[0]:
        pieces = pieces[1:]
    if pieces and not pieces[-1]:
        pieces = pieces[:-1]
    return all(pieces) and len(pieces) == arguments.num_paragraphs


def _first_word(arguments: FirstWord, answer: str) -> bool:
    pieces = [piece for piece in _BLANK_LINE.split(answer) if piece.strip()]
    if len(pieces) != arguments.num_paragraphs or not 1 <= arguments.nth_paragraph <= len(pieces):
        return False
    first = _FIRST_WORD.search(pieces[arguments.nth_paragraph - 1])
    return first is not None and first.group(0).casefold() == arguments.first_word.casefold().strip()


LENGTH_KINDS: Kinds = {
    "length_constraints:number_words": Kind(
        WordCount, lambda arguments, answer: holds(len(words(answer)), arguments.relation, arguments.num_words)
    ),
    "length_constraints:number_sentences": Kind(
        SentenceCount,
        lambda arguments, answer: holds(count_sentences(answer), arguments.relation, arguments.num_sentences),
    ),
    "length_constraints:number_paragraphs": Kind(ParagraphCount, _paragraphs),
    "length_constraints:nth_paragraph_first_word": Kind(FirstWord, _first_word),
}
