"""The other IFEval kinds: how an answer begins and ends, its case, its commas, its language, and repetition."""

import re
from typing import Annotated

from pydantic import AfterValidator

from components.shared.artifacts.artifact import Record
from components.shared.judges.constraints.counting import words
from components.shared.judges.constraints.kind import Count, Kind, Kinds, Nothing, Relation, Word, holds
from components.shared.judges.constraints.language import is_in_language, is_known

_COMMAS = re.compile("[,\uff0c\u060c\u3001]")
_QUOTED = re.compile('".+"|\u201c.+\u201d', re.DOTALL)


class EndPhrase(Record):
    """The answer's last words."""

    end_phrase: Word


class Repeated(Record):
    """What the answer repeats before anything else."""

    prompt_to_repeat: Word


class CapitalWords(Record):
    """A number of words in capital letters only."""

    capital_frequency: Count
    capital_relation: Relation


def _known(code: str) -> str:
    if not is_known(code):
        raise ValueError("not among the 139 languages that py3langid detects; expected an ISO 639 code, such as pt")
    return code


class Language(Record):
    """The language of the whole answer: ISO 639 code, with or without a region."""

    language: Annotated[Word, AfterValidator(_known)]


def _ends(arguments: EndPhrase, answer: str) -> bool:
    return answer.strip().strip('"').casefold().endswith(arguments.end_phrase.strip().casefold())


def _repeats(arguments: Repeated, answer: str) -> bool:
    return answer.strip().casefold().startswith(arguments.prompt_to_repeat.strip().casefold())


def _two_responses(_arguments: Nothing, answer: str) -> bool:
    pieces = [piece.strip() for piece in answer.strip().split("******")]
    pieces = pieces[not pieces[0] :]
    pieces = pieces[: -1 if pieces and not pieces[-1] else None]
    return len(pieces) == 2 and all(pieces) and pieces[0] != pieces[1]


def _capitals(arguments: CapitalWords, answer: str) -> bool:
    count = sum(word.isupper() for word in words(answer))
    return holds(count, arguments.capital_relation, arguments.capital_frequency)


def _english(right_case: bool, answer: str) -> bool:
    return right_case and is_in_language("en", answer)


WORDING_KINDS: Kinds = {
    "startend:end_checker": Kind(EndPhrase, _ends),
    "startend:quotation": Kind(Nothing, lambda _arguments, answer: _QUOTED.fullmatch(answer.strip()) is not None),
    "combination:repeat_prompt": Kind(Repeated, _repeats),
    "combination:two_responses": Kind(Nothing, _two_responses),
    "change_case:capital_word_frequency": Kind(CapitalWords, _capitals),
    "change_case:english_capital": Kind(Nothing, lambda _arguments, answer: _english(answer.isupper(), answer)),
    "change_case:english_lowercase": Kind(Nothing, lambda _arguments, answer: _english(answer.islower(), answer)),
    "punctuation:no_comma": Kind(Nothing, lambda _arguments, answer: _COMMAS.search(answer) is None),
    "language:response_language": Kind(Language, lambda arguments, answer: is_in_language(arguments.language, answer)),
}
