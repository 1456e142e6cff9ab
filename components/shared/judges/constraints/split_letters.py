"""Finds letters that are split by a few signs, in one pass over the text.

A regular expression for this takes exponential time where the signs between the letters may also stand for letters
("@$@$@$" for "asasas"). Here, all ways to read the text so far are kept as the bits of five numbers.
"""

import re
from collections.abc import Sequence

MOST_SIGNS = 4
"""Signs that may stand between two letters."""
_SIGN = re.compile(r"[\W_]")


class SplitLetters:
    """A sequence of letters that cuts no word and may have up to `MOST_SIGNS` signs between two letters.

    Args:
        forms: a regular expression for one character, for each letter; case is ignored.
    """

    def __init__(self, forms: Sequence[str]) -> None:
        self._forms = [re.compile(form, re.IGNORECASE) for form in forms]
        self._start = re.compile(rf"(?<![^\W_]){forms[0]}", re.IGNORECASE)
        self._last = 1 << len(forms) - 1

    def find_end(self, text: str) -> int | None:
        """The end of the occurrence that ends first; None if there is none."""
        letters: dict[str, tuple[int, int]] = {}
        place = 0
        just, gap1, gap2, gap3, gap4 = 0, 0, 0, 0, 0  # bit n: n + 1 letters are read, and 0 to 4 signs after them
        while True:
            if not just | gap1 | gap2 | gap3 | gap4:
                if (start := self._start.search(text, place)) is None:
                    return None
                place = start.start()
            character = text[place]
            if (known := letters.get(character)) is None:
                known = letters[character] = self._read(character)
            accepted, signs = known
            begins = place == 0 or _is_sign(text[place - 1])
            read = ((just | gap1 | gap2 | gap3 | gap4) << 1 | begins) & accepted
            just, gap1, gap2, gap3, gap4 = read, just & signs, gap1 & signs, gap2 & signs, gap3 & signs
            place += 1
            ends = place == len(text) or _is_sign(text[place])
            if just & self._last and ends:
                return place
            if place == len(text):
                return None

    def _read(self, character: str) -> tuple[int, int]:
        """The letters that a character may be, as bits, and -1 if it may also be a sign between letters, else 0."""
        accepted = sum(1 << n for n, form in enumerate(self._forms) if form.match(character))
        return accepted, -1 if _is_sign(character) else 0


def _is_sign(character: str) -> bool:
    return _SIGN.match(character) is not None
