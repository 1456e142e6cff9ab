"""Writes to MLflow that wait on disk: a folder with `queue.jsonl`, a line per write, and the files that they name.

A folder belongs to the process that holds its lock; one without an owner was left by a process that is gone. It is
bounded. This module does not know MLflow, nor when a write is sent.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections import deque
from pathlib import Path
from typing import IO, Any, NamedTuple

from components.shared.errors import TrackingError

LIMIT = 256 << 20
"""Most bytes that one folder holds."""

_QUEUE = "queue.jsonl"
_REFUSED = ".refused"


class Entry(NamedTuple):
    """One write."""

    call: str
    run_id: str
    content: dict[str, Any]
    """Arguments of the call, as JSON."""


class Queue:
    """The folder of one process, or one that another left.

    Attributes:
        folder: where it is.
        entries: what waits, in order.
        inherited: whether another process began it.
    """

    def __init__(self, folder: Path, stream: IO[str], entries: list[Entry], inherited: bool) -> None:
        self.folder, self.entries, self.inherited = folder, deque(entries), inherited
        self._stream = stream
        self._bytes = 0
        self._files = 0

    @classmethod
    def begin(cls, parent: Path) -> "Queue":
        """A new folder below another.

        Raises:
            TrackingError: it cannot be made.
        """
        folder = parent / f"{os.getpid()}-{secrets.token_hex(4)}"
        try:
            folder.mkdir(parents=True)
            begun = folder / f"{_QUEUE}.new"
            stream = begun.open("a", encoding="utf-8")
            fcntl.flock(stream, fcntl.LOCK_EX)
            begun.rename(folder / _QUEUE)  # from here on others see it, and that it is held
        except OSError as error:
            raise TrackingError(
                f"{folder}: cannot be made: {error.strerror}; what is logged while the MLflow server is away goes "
                "there: set PLIMSOLL_SPOOL to a folder that can be written"
            ) from None
        return cls(folder, stream, [], inherited=False)

    def append(self, entry: Entry) -> None:
        """Keeps a write: it is on disk when this returns.

        Raises:
            TrackingError: the folder is full, or the disk.
        """
        line = f"{json.dumps(entry)}\n"
        self._require_room(len(line.encode()))
        try:
            self._stream.write(line)
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise self._unwritable(error) from None
        self.entries.append(entry)

    def take(self, source: Path) -> str:
        """Copies a file or folder in, because it may be gone when it is sent; its path within this folder.

        Raises:
            TrackingError: the folder is full, or the disk.
            OSError: the source cannot be read.
        """
        files = [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else [source]
        self._require_room(sum(path.stat().st_size for path in files))
        self._files += 1
        target = self.folder / "files" / str(self._files) / source.name
        target.parent.mkdir(parents=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        return target.relative_to(self.folder).as_posix()

    def remove(self) -> None:
        """Removes the folder: everything in it was sent."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()

    def set_aside(self) -> Path:
        """Renames the folder, so that nobody sends it again; returns where it is."""
        aside = self.folder.with_name(f"{self.folder.name}{_REFUSED}")
        self.folder.rename(aside)
        self.close()
        return aside

    def close(self) -> None:
        """Gives the folder up, as it is."""
        self._stream.close()

    def _require_room(self, more: int) -> None:
        if self._bytes + more > LIMIT:
            raise TrackingError(
                f"{self.folder}: holds {self._bytes:,} bytes of what was logged while the MLflow server was away, and "
                f"{more:,} more would pass the limit of {LIMIT:,}; start the server and run the step again"
            )
        self._bytes += more

    def _unwritable(self, error: OSError) -> TrackingError:
        return TrackingError(
            f"{self.folder}: cannot be written: {error.strerror}; free the disk and run the step again"
        )


def left_queues(parent: Path) -> list[Queue]:
    """The folders below another that nobody holds, oldest first; a last line that is cut short is no write."""
    if not parent.is_dir():
        return []
    found = []
    for path in parent.glob(f"*/{_QUEUE}"):
        if path.parent.name.endswith(_REFUSED):
            continue
        try:
            stream = path.open("r+", encoding="utf-8")
        except OSError:  # gone in the meantime
            continue
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            age = path.stat().st_mtime
        except OSError:  # held by a process that is at work, or gone
            stream.close()
            continue
        entries = [Entry(*json.loads(line)) for line in stream if line.endswith("\n")]
        found.append((age, Queue(path.parent, stream, entries, inherited=True)))
    return [queue for _, queue in sorted(found, key=lambda own: own[0])]
