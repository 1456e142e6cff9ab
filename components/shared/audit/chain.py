"""What the audit log asks of the place that keeps its entries, and what such a place gives back.

Two places exist: `file_chain` and `object_chain`. This module does not know either.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from components.shared.audit.entry import AuditEntry, End, parse_entry
from components.shared.errors import IntegrityError


class Line(NamedTuple):
    """One entry as it is kept."""

    where: str
    """Line or object, for people."""
    text: bytes


class AuditProblem(NamedTuple):
    """Something that is not as it was written."""

    where: str
    what: str

    def __str__(self) -> str:
        """The problem as one line."""
        return f"{self.where}: {self.what}"


class Reading(NamedTuple):
    """A log as it is kept at one moment."""

    lines: tuple[Line, ...]
    problems: tuple[AuditProblem, ...]
    """What the place's own records say against these lines."""

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
                    f"audit log: {line.where}: {error}; `plimsoll audit verify` shows all that is wrong"
                ) from None


class Chain(Protocol):
    """A place that keeps entries in order."""

    @property
    def address(self) -> str:
        """Where it is, for people."""

    def extend(self, make: Callable[[End], AuditEntry]) -> AuditEntry:
        """Appends the entry that `make` makes for the chain's end; no other writer comes between.

        `make` is called again where another writer was faster.

        Raises:
            StorageError: the entry cannot be written.
            IntegrityError: the chain's end is not as it was written; nothing is appended to it.
        """

    def check(self) -> None:
        """Checks that an entry could be appended.

        Raises:
            StorageError, IntegrityError: see `extend`.
        """

    def read(self) -> Reading:
        """All lines; none where the log does not exist.

        Raises:
            StorageError: they cannot be read.
        """
