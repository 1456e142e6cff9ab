"""Partial files: what has arrived of an object, beside its target as `.<name>.<etag>.partial`, locked while in use.

It does not know where the bytes come from, nor when there are enough of them.
"""

import fcntl
import os
import random
import re
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from components.shared.errors import StorageError

KEPT_FROM = 8 << 20
"""Partial files of this size, bytes, are kept for the next call; smaller ones are faster to fetch again."""


class Partial(NamedTuple):
    """A partial file that this process holds the lock of."""

    path: Path
    stream: IO[bytes]
    etag: str
    """Of the object that it is a part of, in quotes as S3 sends it."""

    def discard(self) -> None:
        """Removes it."""
        self.path.unlink(missing_ok=True)
        self.stream.close()

    def leave(self) -> None:
        """Closes it, and keeps it for the next call if that is worth it."""
        if self.stream.tell() < KEPT_FROM:
            self.path.unlink(missing_ok=True)
        self.stream.close()

    def become(self, target: Path) -> None:
        """Takes the target's place."""
        self.path.replace(target)
        self.stream.close()


def left_over(target: Path) -> Partial | None:
    """What an earlier call has left of a target, if nobody else is at it; what else it has left is removed."""
    found = None
    shape = re.compile(rf"\.{re.escape(target.name)}\.([\w-]+)\.partial")
    for path in sorted(target.parent.iterdir()):
        match = shape.fullmatch(path.name)
        if match is None:
            continue
        with suppress(OSError):
            stream = path.open("r+b")
            partial = Partial(path, stream, f'"{match[1]}"')
            if not _locked(stream):
                stream.close()
            elif found is None and path.stat().st_size:
                found = partial
            else:
                partial.discard()
    return found


def begin(target: Path, etag: str) -> Partial:
    """A new partial file; with a name of its own where another process has the usual one.

    Raises:
        OSError: it cannot be made.
    """
    for name in (plain(etag), f"{plain(etag)}-{os.getpid()}-{random.getrandbits(32):08x}"):
        path = target.with_name(f".{target.name}.{name}.partial")
        stream = path.open("a+b")
        if _locked(stream):
            stream.truncate(0)
            return Partial(path, stream, etag)
        stream.close()
    raise StorageError(f"{target}: a partial file beside it is in use; run again")


def plain(etag: str) -> str:
    """An ETag as part of a file's name."""
    return re.sub(r"[^\w-]", "", etag)


def _locked(stream: IO[bytes]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
