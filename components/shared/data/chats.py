"""Training rows of every usual shape, read into chats with file and line in every error.

    chat               {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}
    sharegpt           {"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}
    prompt_completion  {"prompt": "…", "completion": "…"} (texts, or lists of messages; only the completion is learnt)
    alpaca             {"instruction": "…", "input": "…", "output": "…"} (input may be missing or empty; earlier turns
                       in `history`, as pairs of texts)

A row of any shape may have a system prompt in `system`, and an `intent`. A content may be a list of text parts. Other
columns are read as prompt and completion where the config names them. What happens to further keys: `row_keys`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

from components.shared.config.sections import Columns
from components.shared.data.row_keys import is_empty, unused_keys
from components.shared.data.turns import ChatTurn, check_order, read_text, read_turns
from components.shared.errors import DataError
from components.shared.jsonl import parse_objects

Shape = Literal["auto", "chat", "sharegpt", "prompt_completion", "alpaca"]

_KEYS: dict[Shape, tuple[str, ...]] = {
    "chat": ("messages",),
    "sharegpt": ("conversations",),
    "prompt_completion": ("prompt", "completion"),
    "alpaca": ("instruction", "output"),
}
_OPTIONAL: dict[Shape, tuple[str, ...]] = {"alpaca": ("input", "history")}
_COMMON = ("system", "intent")
_USED = {shape: frozenset((*keys, *_OPTIONAL.get(shape, ()), *_COMMON)) for shape, keys in _KEYS.items()}


class Chat(NamedTuple):
    """A conversation that ends with the assistant's answer."""

    messages: tuple[ChatTurn, ...]
    line: int
    """The line in its file; in a file without lines the row's number, from 1."""
    intent: str | None = None
    """The row's `intent` field; None if it has none."""
    file: str = ""
    """The name of its file, where the rows are in a folder."""

    @property
    def user_texts(self) -> tuple[str, ...]:
        """The texts of the user's turns."""
        return tuple(message.content for message in self.messages if message.role == "user")


class ChatFile(NamedTuple):
    """All rows of one file, and their shape."""

    chats: tuple[Chat, ...]
    shape: Shape


def parse_chats(content: bytes, where: str, shape: Shape = "auto") -> ChatFile:
    """Reads JSONL rows that fit into memory.

    Args:
        content: the file's bytes, UTF-8 (a byte-order mark is skipped).
        where: the file's address, for errors.
        shape: the form of the rows; auto decides by the keys of the first row.

    Raises:
        DataError: a row does not have the shape (file and line are named), or the file has no rows.
    """
    reader = ChatReader(shape)
    chats = tuple(reader.read(parse_objects(content.split(b"\n"), where), where))
    return ChatFile(chats, reader.shape)


class ChatReader:
    """Reads the rows of one file after another into chats; all have the shape of the first row.

    Attributes:
        shape: the form of the rows; auto before the first row.
        unused: the keys without effect that were seen.

    Args:
        shape: the form of the rows; auto decides by the keys of the first row.
        columns: the columns of prompt and completion, where they have other names.
    """

    def __init__(self, shape: Shape = "auto", columns: Columns | None = None) -> None:
        self.shape: Shape = shape
        self.unused: set[str] = set()
        self._columns = columns

    def read(self, rows: Iterable[tuple[int, dict[str, Any]]], where: str, file: str = "") -> Iterator[Chat]:
        """The chats of one file, one at a time.

        Args:
            rows: the rows, each with its line or number.
            where: the file's address, for errors.
            file: the file's name, where it is one of a folder.

        Raises:
            DataError: a row does not have the shape (file and line are named), or the file has no rows.
        """
        empty = True
        for number, row in rows:
            empty = False
            yield self._chat(row, number, f"{where}:{number}", file)
        if empty:
            raise DataError(f"{where}: holds no rows; expected at least one, such as a JSON object per line")

    def _chat(self, row: dict[str, Any], number: int, place: str, file: str) -> Chat:
        if self._columns is not None:
            self.shape, row = "prompt_completion", _renamed(row, self._columns, place)
        elif self.shape == "auto":
            self.shape = _detect(row, place)
        messages = _messages(row, self.shape, place, self.unused)
        intent = None if is_empty(row.get("intent")) else read_text(row["intent"], "intent", place)
        return Chat(tuple(messages), number, intent, file)


def _detect(row: dict[str, Any], place: str) -> Shape:
    found = [shape for shape, keys in _KEYS.items() if all(not is_empty(row.get(key)) for key in keys)]
    found = found or [shape for shape, keys in _KEYS.items() if all(key in row for key in keys)]
    if len(found) > 1:
        raise DataError(
            f"{place}: row has the keys {sorted(row)}, which fit {' and '.join(found)}; say which one is meant with "
            "data.format"
        )
    if found:
        return found[0]
    raise DataError(
        f"{place}: row has the keys {sorted(row)}; expected 'messages' (chat), 'conversations' (sharegpt), "
        "'prompt' and 'completion', or 'instruction' and 'output' (alpaca); name other columns in data.columns"
    )


def _renamed(row: dict[str, Any], columns: Columns, place: str) -> dict[str, Any]:
    """The row with the columns that the config names under our own names."""
    mapping = columns.mapping
    for own, name in mapping.items():
        if name not in row:
            raise DataError(f"{place}: no column {name!r}, which columns.{own} names; the row has {sorted(row)}")
    rest = {key: value for key, value in row.items() if key not in mapping.values()}
    if taken := sorted(key for key in rest.keys() & {"prompt", "completion", *_COMMON} if not is_empty(rest[key])):
        raise DataError(
            f"{place}: the row has {taken[0]!r} besides the mapped columns; map it too in columns, or remove the column"
        )
    return {**rest, **{own: row[name] for own, name in mapping.items()}}


def _messages(row: dict[str, Any], shape: Shape, place: str, unused: set[str]) -> list[ChatTurn]:
    for key in _KEYS[shape]:
        if key not in row:
            raise DataError(f"{place}: no key {key!r} in a file of {shape} rows; the row has {sorted(row)}")
    unused |= unused_keys(row, _USED[shape], place)
    messages = _READERS[shape](row, place, unused)
    if not is_empty(row.get("system")):
        if messages[0].role == "system":
            raise DataError(f"{place}: has the key 'system' and a system turn; expected one of them: remove the other")
        messages.insert(0, ChatTurn(role="system", content=read_text(row["system"], "system", place)))
    check_order(messages, place)
    return messages


def _prompt_completion(row: dict[str, Any], place: str, unused: set[str]) -> list[ChatTurn]:
    prompt, completion = row["prompt"], row["completion"]
    if isinstance(prompt, list) and isinstance(completion, list):
        earlier = [
            turn.model_copy(update={"learnt": turn.role != "assistant"})
            for turn in read_turns(prompt, "prompt", place, unused)
        ]
        return earlier + read_turns(completion, "completion", place, unused)
    return _pair(prompt, completion, ("prompt", "completion"), place)


def _alpaca(row: dict[str, Any], place: str) -> list[ChatTurn]:
    history = [] if is_empty(row.get("history")) else row["history"]
    if not isinstance(history, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in history):
        raise DataError(f"{place}: history is {str(history)[:60]!r}; expected a list of pairs: request and answer")
    earlier = [
        turn
        for index, (request, answer) in enumerate(history)
        for turn in _pair(request, answer, (f"history[{index}][0]", f"history[{index}][1]"), place)
    ]
    request = read_text(row["instruction"], "instruction", place)
    if not is_empty(row.get("input")):
        request += f"\n\n{read_text(row['input'], 'input', place)}"
    return earlier + _pair(request, row["output"], ("instruction", "output"), place)


def _pair(request: object, answer: object, keys: tuple[str, str], place: str) -> list[ChatTurn]:
    return [
        ChatTurn(role="user", content=read_text(request, keys[0], place)),
        ChatTurn(role="assistant", content=read_text(answer, keys[1], place)),
    ]


_READERS: dict[Shape, Callable[[dict[str, Any], str, set[str]], list[ChatTurn]]] = {
    "chat": lambda row, place, unused: read_turns(row["messages"], "messages", place, unused),
    "sharegpt": lambda row, place, unused: read_turns(row["conversations"], "conversations", place, unused),
    "prompt_completion": _prompt_completion,
    "alpaca": lambda row, place, _: _alpaca(row, place),
}
