"""An audit log in a local file: one line per entry, and a head record beside it.

Writers take an exclusive lock (`flock` on `<log>.lock`; the kernel frees it when its holder dies), so that one entry is
appended at a time: by threads, by processes, and by machines on a file system that shares locks. An incomplete line
that a killed writer left is moved to `<log>.torn`. Only the last line is checked here; `verifying` checks the others.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from components.shared.audit.chain import AuditProblem, Reading, StoredEntry
from components.shared.audit.entry import START, AuditEntry, End, parse_entry
from components.shared.audit.head import Head, disagreement, read_head, write_head
from components.shared.errors import IntegrityError, StorageError
from components.shared.progress import warn
from components.shared.storage import names_full_disk

_BLOCK = 1 << 16


class _Tail(NamedTuple):
    """The end of the file."""

    end: End
    torn: bytes
    """What follows the last whole line."""
    whole_bytes: int


class FileChain:
    """The chain in a local file; see `Chain`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._head, self._lock, self._torn = (path.with_name(f"{path.name}.{end}") for end in ("head", "lock", "torn"))

    @property
    def address(self) -> str:
        """The file's path."""
        return str(self.path)

    def extend(self, make: Callable[[End], AuditEntry]) -> AuditEntry:
        """See `Chain`."""
        with self._writing():
            end = self._settle()
            entry = make(end)
            write_head(self._head, Head(entries=end.entries, digest=end.digest, pending=entry.digest))
            self._append(f"{entry.line}\n".encode())
            write_head(self._head, Head(entries=end.entries + 1, digest=entry.digest, pending=None))
        return entry

    def check(self) -> None:
        """See `Chain`."""
        with self._writing():
            self._settle()
            if self.path.exists():
                os.close(os.open(self.path, os.O_WRONLY | os.O_APPEND))

    def end(self) -> End:
        """See `Chain`."""
        try:
            with self._reading():
                return self._tail().end
        except OSError as error:
            raise self._unreadable(error) from None

    def read(self) -> Reading:
        """See `Chain`."""
        try:
            with self._reading():
                content = self.path.read_bytes() if self.path.exists() else b""
                *texts, torn = content.split(b"\n")
                problem = self._problem(texts, torn)
        except OSError as error:
            raise self._unreadable(error) from None
        lines = tuple(StoredEntry(f"line {number}", text) for number, text in enumerate(texts, 1))
        return Reading(lines, (problem,) if problem is not None else ())

    def _unreadable(self, error: OSError) -> StorageError:
        return StorageError(f"audit log {self.path}: cannot be read: {error.strerror}")

    def _problem(self, texts: Sequence[bytes], torn: bytes) -> AuditProblem | None:
        """What is wrong with the end of the log; None if nothing is."""
        try:
            wrong = disagreement(_end_of(texts), read_head(self._head), torn)
        except IntegrityError as error:
            wrong = str(error)
        if wrong:
            return AuditProblem("end of the log", wrong)
        if torn:
            moved = f"is incomplete: its writer was stopped; the next append moves it to {self._torn}"
            return AuditProblem(f"line {len(texts) + 1}", moved)
        return None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with names_full_disk(self.path), self._lock.open("a") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                yield
        except StorageError:
            raise
        except OSError as error:
            raise StorageError(
                f"audit log {self.path}: cannot be written: {error.strerror}; no step goes on without its entry: "
                "make it writable, or name another in tracking.audit_log (on a cluster s3://BUCKET/PREFIX)"
            ) from None

    @contextmanager
    def _reading(self) -> Iterator[None]:
        if not self._lock.exists():  # a copy of a log, somewhere else
            yield
            return
        with self._lock.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH)
            yield

    def _settle(self) -> End:
        """The end that the next entry follows; an incomplete line of a killed writer is moved aside first."""
        try:
            tail = self._tail()
            wrong = disagreement(tail.end, read_head(self._head), tail.torn)
        except IntegrityError as error:
            wrong = str(error)
        if wrong:
            raise IntegrityError(
                f"audit log {self.path}: {wrong}; nothing is appended: see `plimsoll audit verify --log {self.path}`, "
                "keep its files as evidence, and start another log"
            )
        if tail.torn:
            with self._torn.open("ab") as aside:
                aside.write(tail.torn + b"\n")
                aside.flush()
                os.fsync(aside.fileno())
            os.truncate(self.path, tail.whole_bytes)
            warn(f"audit log {self.path}: its last line was incomplete (a writer was killed); moved to {self._torn}")
        return tail.end

    def _tail(self) -> _Tail:
        if not self.path.exists():
            return _Tail(START, b"", 0)
        block = b""
        with self.path.open("rb") as stream:
            size = start = stream.seek(0, os.SEEK_END)
            while start > 0 and block.count(b"\n") < 2:
                length = min(_BLOCK, start)
                start = stream.seek(start - length)
                block = stream.read(length) + block
        *whole, torn = block.split(b"\n")
        entry = parse_entry(whole[-1]) if whole else None
        end = End(entry.sequence + 1, entry.digest) if entry is not None else START
        return _Tail(end, torn, size - len(torn))

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, "a part of an entry could not be written", str(self.path))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _end_of(texts: Sequence[bytes]) -> End:
    """The end of the chain in these lines; without a digest if the last one cannot be read."""
    try:
        return End(len(texts), parse_entry(texts[-1]).digest) if texts else START
    except IntegrityError:
        return End(len(texts), "an unreadable entry")
