"""The interface of a place that stores audit entries, and what it returns; see `file_chain` and `object_chain`."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from components.shared.audit.entry import AuditEntry, End, parse_entry
from components.shared.errors import IntegrityError


class StoredEntry(NamedTuple):
    """One entry as it is stored, not parsed yet."""

    where: str
    """Line number or address of the object, for messages."""
    text: bytes


class AuditProblem(NamedTuple):
    """A part of the log that is not as it was written."""

    where: str
    what: str

    def __str__(self) -> str:
        """The problem as one line."""
        return f"{self.where}: {self.what}"


class Reading(NamedTuple):
    """A log as it is stored at one moment."""

    lines: tuple[StoredEntry, ...]
    problems: tuple[AuditProblem, ...]
    """Where these lines contradict what is stored beside them: a file's head record, an object's copy."""

    def entries(self) -> Iterator[AuditEntry]:
        """The entries, oldest first.

        Raises:
            IntegrityError: a line is not as it was written.
        """
        for line in self.lines:
            try:
                yield parse_entry(line.text)
            except IntegrityError as error:
                raise IntegrityError(
                    f"audit log: {line.where}: {error}; `plimsoll audit verify` shows every problem"
                ) from None


class Chain(Protocol):
    """A place that stores entries in order."""

    @property
    def address(self) -> str:
        """Its path or s3:// prefix."""

    def extend(self, make: Callable[[End], AuditEntry]) -> AuditEntry:
        """Appends the entry that `make` returns for the chain's end.

        No other entry gets between: `make` is called again if another writer was faster.

        Raises:
            StorageError: the entry cannot be written.
            IntegrityError: the chain's end is not as it was written; nothing is appended to it.
        """

    def check(self) -> None:
        """Checks that an entry could be appended.

        Raises:
            StorageError, IntegrityError: see `extend`.
        """

    def end(self) -> End:
        """Where the chain ends, without reading all of it.

        Raises:
            StorageError: it cannot be read.
            IntegrityError: its last entry is not as it was written.
        """

    def read(self) -> Reading:
        """All lines; none if the log does not exist.

        Raises:
            StorageError: they cannot be read.
        """
