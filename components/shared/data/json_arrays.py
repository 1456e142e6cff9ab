"""Reads the objects of a JSON array one at a time, so that the file does not have to fit into memory."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn, TextIO

_CHUNK = 1 << 20
"""Characters that are read at once."""
_SPACE = " \t\n\r"


def array_items(stream: TextIO) -> Iterator[dict[str, Any]]:
    """The objects of a file that is a JSON array.

    Args:
        stream: the file's text, from its beginning.

    Raises:
        ValueError: it is something else; the message says nothing of the place.
    """
    text = _Text(stream)
    text.expect("[")
    if text.next_character() == "]":
        text.expect("]")
    else:
        while True:
            yield text.take_object()
            if text.next_character() == "]":
                text.expect("]")
                break
            text.expect(",")
    if text.next_character():
        raise ValueError("text after the array")


class _Text:
    """The part of a file that was read and not yet used."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._text, self._at, self._ended = stream, "", 0, False
        self._decoder = json.JSONDecoder(parse_constant=_refuse_constant)

    def next_character(self) -> str:
        """The next character that is no space; empty at the end of the file."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._read()

    def expect(self, character: str) -> None:
        """Uses up a character.

        Raises:
            ValueError: it is another one.
        """
        if self.next_character() != character:
            raise ValueError(f"no {character!r}")
        self._at += 1

    def take_object(self) -> dict[str, Any]:
        """Uses up an object.

        Raises:
            ValueError: there is something else.
        """
        if self.next_character() != "{":
            raise ValueError("no object")
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                if self._ended:
                    raise ValueError("not JSON") from None
                self._read()
            else:
                found: dict[str, Any] = value
                return found

    def _read(self) -> None:
        left = self._text[self._at :]
        more = self._stream.read(max(_CHUNK, len(left)))
        self._text, self._at, self._ended = left + more, 0, not more


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
