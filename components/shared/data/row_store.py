"""Keeps checked rows on disk, so that a million of them need little memory.

Rows are in a private SQLite database in the temporary folder (TMPDIR), which SQLite deletes when it is closed. Memory
holds 16 bytes of digest and 4 bytes of intent per row.
"""

import hashlib
import json
import os
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from components.shared.data.chats import Chat
from components.shared.data.overlap import user_fingerprints
from components.shared.data.turns import ChatTurn
from components.shared.errors import StorageError
from components.shared.storage.full_disk import names_full_disk

Indexes = NDArray[np.int64]

_BATCH = 1000
"""Rows that are written, and read in one go."""
_NO_INTENT = -1
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_TABLES = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -32000;
    CREATE TABLE chats (id INTEGER PRIMARY KEY, content BLOB, line INTEGER, file TEXT);
    CREATE TABLE asked (id INTEGER PRIMARY KEY, texts BLOB);
    BEGIN;
"""


class RowStore:
    """Chats on disk, by the order in which they were added.

    Raises:
        StorageError: the temporary folder has no room, or cannot be written.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(_TABLES)
        self._chats: list[tuple[int, bytes, int, str]] = []
        self._asked: list[tuple[int, bytes]] = []
        self._digests = bytearray()
        self._intents = array("i")
        self._intent_codes: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._intents)

    def add(self, chat: Chat, fingerprints: Sequence[str]) -> None:
        """Keeps one more chat.

        Args:
            chat: the chat.
            fingerprints: of its user turns.
        """
        number, texts = len(self), _sortable(fingerprints)
        self._digests += _digest(texts)
        codes = self._intent_codes
        self._intents.append(_NO_INTENT if chat.intent is None else codes.setdefault(chat.intent, len(codes)))
        self._chats.append((number, dump_chat(chat), chat.line, chat.file))
        self._asked.append((number, texts))
        if len(self._chats) == _BATCH:
            self._flush()

    def rows(self, start: int = 0) -> "Rows":
        """The chats from `start` on that are there now."""
        self._flush()
        return Rows(self, np.arange(start, len(self), dtype=np.int64))

    def lines(self, indexes: Indexes) -> Iterator[tuple[bytes, int, str]]:
        """Each chat as a line of train.jsonl without its end, and line and name of the file it comes from."""
        with _disk_errors():
            for number in indexes.tolist():
                yield self._database.execute("SELECT content, line, file FROM chats WHERE id = ?", (number,)).fetchone()

    def digests(self, indexes: Indexes) -> NDArray[np.void]:
        """Digests of the user turns' texts: equal where chats ask the same."""
        return _as_array(bytes(self._digests))[indexes]

    def intents(self, indexes: Indexes) -> list[str | None]:
        """The intent of each chat."""
        names = list(self._intent_codes)
        return [names[code] if code != _NO_INTENT else None for code in np.array(self._intents)[indexes].tolist()]

    def by_text(self, indexes: Indexes) -> Indexes:
        """The same chats in the order of their user texts."""
        if not len(indexes):
            return indexes
        query = "SELECT id FROM asked WHERE id BETWEEN ? AND ? ORDER BY texts, id"
        with _disk_errors():
            found = self._database.execute(query, (int(indexes.min()), int(indexes.max())))
            everything = np.fromiter((number for (number,) in found), dtype=np.int64)
        return everything[np.isin(everything, indexes)]

    def asked_texts(self, indexes: Indexes) -> Iterator[str]:
        """The fingerprints of each chat's user turns, joined by spaces."""
        with _disk_errors():
            for number in indexes.tolist():
                (texts,) = self._database.execute("SELECT texts FROM asked WHERE id = ?", (number,)).fetchone()
                yield " ".join(_fingerprints(texts))

    def _flush(self) -> None:
        with _disk_errors():
            self._database.executemany("INSERT INTO chats VALUES (?, ?, ?, ?)", self._chats)
            self._database.executemany("INSERT INTO asked VALUES (?, ?)", self._asked)
        self._chats, self._asked = [], []


class Rows(Sequence[Chat]):
    """Chats of a store, read from disk as they are asked for.

    Attributes:
        store: where they are.
        indexes: their numbers in it, in their order here.
    """

    def __init__(self, store: RowStore, indexes: Indexes) -> None:
        self.store, self.indexes = store, indexes

    def __len__(self) -> int:
        return len(self.indexes)

    @overload
    def __getitem__(self, place: int) -> Chat: ...
    @overload
    def __getitem__(self, place: slice) -> "Rows": ...
    def __getitem__(self, place: int | slice) -> "Chat | Rows":
        if isinstance(place, slice):
            return Rows(self.store, self.indexes[place])
        return next(iter(Rows(self.store, self.indexes[[place]])))

    def __iter__(self) -> Iterator[Chat]:
        for start in range(0, len(self), _BATCH):
            part = self.indexes[start : start + _BATCH]
            kept = self.store.lines(part)
            for (content, line, file), intent in zip(kept, self.store.intents(part), strict=True):
                turns = tuple(ChatTurn(**turn) for turn in json.loads(content)["messages"])
                yield Chat(turns, line, intent, file)

    @property
    def digests(self) -> NDArray[np.void]:
        """Digests of the user turns' texts: equal where chats ask the same."""
        return self.store.digests(self.indexes)

    @property
    def intents(self) -> list[str | None]:
        """The intent of each chat."""
        return self.store.intents(self.indexes)

    def where(self, chosen: NDArray[np.bool_]) -> "Rows":
        """The chats for which `chosen` is true."""
        return Rows(self.store, self.indexes[chosen])

    def at(self, places: Sequence[int] | Indexes) -> "Rows":
        """The chats at these places, in the order of the places."""
        return Rows(self.store, self.indexes[np.asarray(places, dtype=np.int64)])

    def different(self) -> "Rows":
        """The first of those that ask the same, in the order of their texts."""
        _, first = np.unique(self.digests, return_index=True)
        return Rows(self.store, self.store.by_text(self.indexes[first]))

    def asked_texts(self) -> Iterator[str]:
        """What each chat asks: the fingerprints of its user turns, joined by spaces."""
        return self.store.asked_texts(self.indexes)

    def dump(self) -> Iterator[bytes]:
        """The lines of train.jsonl."""
        return (b"%b\n" % content for content, _, _ in self.store.lines(self.indexes))


def joined(parts: Sequence[Rows]) -> Rows:
    """The chats of several parts of one store, one part after another."""
    return Rows(parts[0].store, np.concatenate([part.indexes for part in parts]))


def keep_rows(chats: Iterable[Chat], store: RowStore | None = None) -> Rows:
    """Puts chats into a store.

    Args:
        chats: read once, one at a time.
        store: receives them; None: a new one.
    """
    store = RowStore() if store is None else store
    start = len(store)
    for chat in chats:
        store.add(chat, user_fingerprints(chat))
    return store.rows(start)


def digests_of(chats: Iterable[Chat]) -> NDArray[np.void]:
    """The digests that `Rows.digests` has for the same chats."""
    return _as_array(b"".join(_digest(_sortable(user_fingerprints(chat))) for chat in chats))


def dump_chat(chat: Chat) -> bytes:
    """A chat as a line of train.jsonl, without its end."""
    turns: list[dict[str, Any]] = [
        {"role": turn.role, "content": turn.content, **({} if turn.learnt else {"learnt": False})}
        for turn in chat.messages
    ]
    return _ENCODER.encode({"messages": turns}).encode()


def _sortable(texts: Sequence[str]) -> bytes:
    """Bytes that have the order of the tuple of texts: UTF-8 has the order of its characters, and an end is lowest."""
    return b"".join(text.encode().replace(b"\0", b"\0\xff") + b"\0\0" for text in texts)


def _fingerprints(texts: bytes) -> list[str]:
    parts = texts.replace(b"\0\xff", b"\xff").split(b"\0\0")[:-1]  # UTF-8 has no byte ff
    return [part.replace(b"\xff", b"\0").decode() for part in parts]


def _as_array(digests: bytes) -> NDArray[np.void]:
    return np.frombuffer(digests, dtype="V16") if digests else np.empty(0, dtype="V16")


def _digest(texts: bytes) -> bytes:
    return hashlib.blake2b(texts, digest_size=16).digest()


def _sqlite_temp() -> str:
    """The folder of SQLite's temporary files, in the order in which SQLite looks for one."""
    named = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp")  # noqa: S108
    return next((folder for folder in named if folder and os.access(folder, os.W_OK | os.X_OK)), ".")


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        with names_full_disk(_sqlite_temp()):
            yield
    except sqlite3.Error as error:
        raise StorageError(
            f"training rows cannot be kept in the temporary folder: {error}; free disk there, or set TMPDIR to a "
            "folder with room for twice the rows"
        ) from None
