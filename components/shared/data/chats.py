"""Training rows: three shapes of JSONL, read into chats with file and line in every error.

    chat               {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}
    prompt_completion  {"prompt": "…", "completion": "…"} (texts, or lists of messages)
    alpaca             {"instruction": "…", "input": "…", "output": "…"} (input may be missing or empty)

A row may name its `intent`; other keys are ignored, as trl ignores them.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, cast

from components.shared.artifacts.suite_prompt import Message
from components.shared.errors import DataError
from components.shared.jsonl import parse_objects

Shape = Literal["auto", "chat", "prompt_completion", "alpaca"]

_KEYS: dict[Shape, tuple[str, ...]] = {
    "chat": ("messages",),
    "prompt_completion": ("prompt", "completion"),
    "alpaca": ("instruction", "output"),
}


class Chat(NamedTuple):
    """A conversation that ends with the assistant's answer."""

    messages: tuple[Message, ...]
    line: int
    intent: str | None = None
    """The row's `intent` field; None if it has none."""

    @property
    def user_texts(self) -> tuple[str, ...]:
        """The texts of the user's turns."""
        return tuple(message.content for message in self.messages if message.role == "user")


class ChatFile(NamedTuple):
    """All rows of one file, and their shape."""

    chats: tuple[Chat, ...]
    shape: Shape


def parse_chats(content: bytes, where: str, shape: Shape = "auto") -> ChatFile:
    """Reads JSONL rows.

    Args:
        content: the file's bytes, UTF-8 (a byte-order mark is skipped).
        where: the file's address, for errors.
        shape: the form of the rows; auto decides by the keys of the first row.

    Raises:
        DataError: a row does not have the shape (file and line are named), or the file has no rows.
    """
    chats: list[Chat] = []
    for number, row in parse_objects(content.split(b"\n"), where):
        if shape == "auto":
            shape = _detect(row, f"{where}:{number}")
        intent = row.get("intent")
        named = intent if isinstance(intent, str) and intent.strip() else None
        chats.append(Chat(_messages(row, shape, f"{where}:{number}"), number, named))
    if not chats:
        raise DataError(f"{where}: holds no rows; expected one JSON object per line")
    return ChatFile(tuple(chats), shape)


def _detect(row: dict[str, Any], place: str) -> Shape:
    for shape, keys in _KEYS.items():
        if all(key in row for key in keys):
            return shape
    raise DataError(
        f"{place}: row has the keys {sorted(row)}; expected 'messages' (chat), 'prompt' and 'completion', or "
        "'instruction' and 'output' (alpaca)"
    )


def _messages(row: dict[str, Any], shape: Shape, place: str) -> tuple[Message, ...]:
    for key in _KEYS[shape]:
        if key not in row:
            raise DataError(f"{place}: no key {key!r} in a file of {shape} rows; the row has {sorted(row)}")
    readers: dict[str, Callable[[dict[str, Any], str], list[Message]]] = {
        "chat": lambda row, place: _turns(row["messages"], "messages", place),
        "prompt_completion": _prompt_completion,
        "alpaca": _alpaca,
    }
    messages = readers[shape](row, place)
    _check_order(messages, place)
    return tuple(messages)


def _prompt_completion(row: dict[str, Any], place: str) -> list[Message]:
    prompt, completion = row["prompt"], row["completion"]
    if isinstance(prompt, list) and isinstance(completion, list):
        return _turns(prompt, "prompt", place) + _turns(completion, "completion", place)
    return [
        Message(role="user", content=_text(prompt, "prompt", place)),
        Message(role="assistant", content=_text(completion, "completion", place)),
    ]


def _alpaca(row: dict[str, Any], place: str) -> list[Message]:
    request = _text(row["instruction"], "instruction", place)
    if row.get("input"):
        request += f"\n\n{_text(row['input'], 'input', place)}"
    answer = _text(row["output"], "output", place)
    return [Message(role="user", content=request), Message(role="assistant", content=answer)]


def _turns(value: object, key: str, place: str) -> list[Message]:
    if not isinstance(value, list) or not value:
        raise DataError(f"{place}: {key} is {str(value)[:60]!r}; expected a list of messages")
    turns = []
    for index, turn in enumerate(value):
        where = f"{key}[{index}]"
        if not isinstance(turn, dict) or not {"role", "content"} <= set(turn):
            raise DataError(f"{place}: {where} is {str(turn)[:60]!r}; expected an object with 'role' and 'content'")
        if turn["role"] not in ("system", "user", "assistant"):
            raise DataError(f"{place}: {where}.role is {turn['role']!r}; expected 'system', 'user' or 'assistant'")
        role = cast(Literal["system", "user", "assistant"], turn["role"])
        turns.append(Message(role=role, content=_text(turn["content"], f"{where}.content", place)))
    return turns


def _text(value: object, key: str, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{place}: {key} is {value!r}; expected a text that is not empty")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise DataError(f"{place}: {key} is {value[:60]!r}; expected Unicode text: it holds half of a \\u escape pair")
    return value


def _check_order(messages: list[Message], place: str) -> None:
    turns = [message.role for message in messages]
    spoken = turns[1:] if turns[:1] == ["system"] else turns
    expected = ["user" if index % 2 == 0 else "assistant" for index in range(len(spoken))]
    if not spoken or spoken != expected or spoken[-1] != "assistant":
        raise DataError(
            f"{place}: the turns are {turns}; expected an optional system message, then user and assistant in "
            "turn, ending with the assistant"
        )
