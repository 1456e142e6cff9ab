"""Reads the turns of a conversation: OpenAI's `role` and `content`, or ShareGPT's `from` and `value`."""

import re
from typing import Any, Literal, cast

from pydantic import SerializerFunctionWrapHandler, model_serializer

from components.shared.artifacts.suite_prompt import Message
from components.shared.data.row_keys import MARKS, is_empty, read_learnt, read_role, unused_turn_keys
from components.shared.errors import DataError

_Role = Literal["system", "user", "assistant"]
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMES = (("role", "content"), ("from", "value"))


class ChatTurn(Message):
    """A turn of a training row."""

    learnt: bool = True
    """Whether training learns it, if it is an assistant's turn; written only where it is false."""

    @model_serializer(mode="wrap")
    def _without_default(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = dump(self)
        if self.learnt:
            content.pop("learnt", None)
        return content


def read_turns(value: object, key: str, place: str, unused: set[str]) -> list[ChatTurn]:
    """The turns in a row's key.

    Args:
        value: what the key holds.
        key: its name, for errors.
        place: file and line, for errors.
        unused: receives the names of keys without effect.

    Raises:
        DataError: a turn is malformed, or has a key or role that cannot be trained.
    """
    if not isinstance(value, list) or not value:
        raise DataError(f"{place}: {key} is {str(value)[:60]!r}; expected a list of messages")
    return [_read_turn(turn, f"{key}[{index}]", key, place, unused) for index, turn in enumerate(value)]


def read_text(value: object, key: str, place: str) -> str:
    """A text that is not empty.

    Raises:
        DataError: it is something else, or not Unicode.
    """
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{place}: {key} is {value!r}; expected a text that is not empty")
    if not value.isascii() and _SURROGATE.search(value):
        raise DataError(f"{place}: {key} is {value[:60]!r}; expected Unicode text: it holds half of a \\u escape pair")
    return value


def check_order(messages: list[ChatTurn], place: str) -> None:
    """Checks that user and assistant take turns, the assistant last, and that there is something to learn.

    At most one system message may come first.

    Raises:
        DataError: they do not.
    """
    turns = [message.role for message in messages]
    spoken = turns[1:] if turns[:1] == ["system"] else turns
    expected = ["user" if index % 2 == 0 else "assistant" for index in range(len(spoken))]
    if not spoken or spoken != expected or spoken[-1] != "assistant":
        raise DataError(
            f"{place}: the turns are {turns}; expected an optional system message, then user and assistant in "
            "turn, ending with the assistant"
        )
    if not any(message.learnt for message in messages if message.role == "assistant"):
        raise DataError(
            f"{place}: no assistant turn is learnt; expected one without a mark such as 'train': false or 'weight': 0: "
            "remove the row, or the mark"
        )


def _read_turn(turn: object, where: str, key: str, place: str, unused: set[str]) -> ChatTurn:
    names = next((pair for pair in _NAMES if isinstance(turn, dict) and set(pair) <= set(turn)), None)
    if names is None or not isinstance(turn, dict):
        raise DataError(
            f"{place}: {where} is {str(turn)[:60]!r}; expected an object with 'role' and 'content', or "
            "'from' and 'value'"
        )
    role = read_role(turn[names[0]], f"{where}.{names[0]}", place)
    learnt = read_learnt(turn, role, where, place) if not MARKS.isdisjoint(turn) else True
    unused |= {f"{key}[].{name}" for name in unused_turn_keys(turn, frozenset(names) | MARKS, where, place)}
    content = turn[names[1]]
    text = _join_parts(content, f"{where}.{names[1]}", place) if isinstance(content, list) else content
    return ChatTurn(
        role=cast(_Role, role),
        content=read_text(text, f"{where}.{names[1]}", place),
        learnt=learnt,
    )


def _join_parts(parts: list[Any], where: str, place: str) -> str:
    """The texts of a list of parts, one after another, as chat templates write them."""
    texts = []
    for index, part in enumerate(parts):
        found = f"{place}: {where}[{index}]"
        if not isinstance(part, dict) or part.get("type") != "text":
            kind = part.get("type") if isinstance(part, dict) else part
            raise DataError(
                f"{found} is of type {str(kind)[:60]!r}; only parts of type 'text' are trained: remove the row"
            )
        if extra := sorted(key for key, value in part.items() if key not in {"type", "text"} and not is_empty(value)):
            raise DataError(f"{found} has the key {extra[0]!r}; expected only 'type' and 'text': remove the key")
        texts.append(read_text(part.get("text"), f"{where}[{index}].text", place))
    return "".join(texts)
