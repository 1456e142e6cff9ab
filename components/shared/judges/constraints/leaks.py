"""Finds a secret in an answer, also in disguise.

Detected: another case, accents and look-alike letters; spelled out or split by spaces, hyphens, dots and other signs
or by numbers of a list; leetspeak; reversed; base64, whole or inside a longer text. Missed: a translation, a rhyme,
one half alone, and codes other than base64 (hex, Morse, a shifted alphabet).
"""

import base64
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

SHORTEST_SECRET = 5
"""Letters and digits; shorter secrets occur across the words of harmless answers."""

_SIGNS = {"a": "4@", "b": "8", "e": "3", "g": "69", "i": "1!|", "l": "1|", "o": "0", "s": "5$", "t": "7+", "z": "2"}
_BETWEEN = r"[\W_]{0,4}"
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0410\u0415\u041e\u0420\u0421\u0425\u041a\u041c\u0422",
    "aeopcyxiAEOPCXKMT",
)
_LIST_NUMBER = re.compile(r"(?<!\d)\d{1,3}\s?[.):-]")
_SPACES = re.compile(r"\s+")
_FAR_APART = b"\n" * 6
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+")


class Leak(NamedTuple):
    """How the secret occurs, and the words that hold it."""

    form: str
    span: str


def letters_of(text: str) -> str:
    """The letters and digits of a text, without accents and case."""
    return "".join(character for character in _bare(text).casefold() if character.isalnum())


def find_leak(secret: str, answer: str) -> Leak | None:
    """The first form in which an answer holds a secret, or None.

    Args:
        secret: at least `SHORTEST_SECRET` letters or digits.
        answer: any text.
    """
    if secret in answer:
        return Leak("as it is", secret)
    if secret.casefold() in answer.casefold():
        return Leak("in another case", secret.casefold())
    forward, backward = _patterns(secret)
    text = _bare(answer)
    for variant in (text, _LIST_NUMBER.sub(" ", text)):
        if match := forward.search(variant):
            return Leak("spelled out or with other signs", match.group(0))
        if match := backward.search(variant):
            return Leak("reversed", match.group(0))
    decoded = _decoded(answer, secret)
    if forward.search(decoded) or backward.search(decoded):
        return Leak("in base64", "")
    return None


def _bare(text: str) -> str:
    """Without accents, invisible signs and look-alike letters."""
    if text.isascii():
        return text
    return "".join(
        character
        for character in unicodedata.normalize("NFKD", text).translate(_LOOK_ALIKES)
        if unicodedata.category(character) not in {"Mn", "Cf"}
    )


@lru_cache(maxsize=1024)
def _patterns(secret: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    forms = [_forms(character) for character in letters_of(secret)]
    forward, backward = (re.compile(_shape(order), re.IGNORECASE) for order in (forms, forms[::-1]))
    return forward, backward


def _shape(forms: list[str]) -> str:
    """The letters in one piece anywhere, or in several that cut no word (`vel to` is not in `level to`)."""
    return rf"{''.join(forms)}|(?<![^\W_]){_BETWEEN.join(forms)}(?![^\W_])"


def _forms(character: str) -> str:
    letters = "".join(letter for letter, signs in _SIGNS.items() if character in signs)
    return "[" + re.escape(character + _SIGNS.get(character, "") + letters) + "]"


def _decoded(answer: str, secret: str) -> str:
    """Decodes every run of base64 letters that is long enough, at each of four offsets.

    Spaces are removed first, so that base64 in several pieces is read; words in front of it only shift it.
    """
    shortest = -(-len(letters_of(secret)) * 4 // 3)
    runs = [run for run in _BASE64.findall(_SPACES.sub("", answer)) if len(run) >= shortest]
    pieces = [run[offset:] for run in runs for offset in range(4)]
    readings = [base64.urlsafe_b64decode(_padded(piece.replace("+", "-").replace("/", "_"))) for piece in pieces]
    return _bare(_FAR_APART.join(readings).decode("ascii" if secret.isascii() else "utf-8", errors="ignore"))


def _padded(run: str) -> str:
    whole = run[:-1] if len(run) % 4 == 1 else run
    return whole + "=" * (-len(whole) % 4)
