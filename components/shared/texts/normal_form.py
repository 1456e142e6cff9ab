"""Unicode normal forms in linear time.

Python sorts a run of combining marks in quadratic time, so 100 kB of them would take seconds. No language needs more
than a few marks on a letter.
"""

import unicodedata
from typing import Literal

import regex

_MOST_MARKS = 30
"""Marks on one letter that are kept, as in Unicode's Stream-Safe Text Format (UAX #15); the rest is dropped."""
_TOO_MANY = regex.compile(rf"(\P{{ccc=0}}{{{_MOST_MARKS}}})\P{{ccc=0}}+")


def normal_form(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """The text in a Unicode normal form, with at most 30 combining marks on a letter."""
    return unicodedata.normalize(form, _TOO_MANY.sub(r"\1", text))
