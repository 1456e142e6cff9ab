"""Checks an audit log from its first entry to its last and reports every change.

A log that was rewritten as a whole, with the records beside it, is consistent: only a digest that was kept somewhere
else reveals that (`expected`).
"""

from collections.abc import Sequence

from components.shared.audit.chain import AuditProblem, Reading, StoredEntry
from components.shared.audit.entry import START, End, parse_entry
from components.shared.audit.log import AuditLog
from components.shared.errors import IntegrityError


def verify(log: AuditLog, expected: Sequence[str] = ()) -> list[AuditProblem]:
    """The problems of a log; none if it is as it was written.

    Args:
        log: the log.
        expected: digests of entries that must be in it, as kept elsewhere (MLflow tag `plimsoll.audit_digest`).

    Raises:
        StorageError: the log cannot be read.
    """
    return check_reading(log.read(), expected)


def check_reading(reading: Reading, expected: Sequence[str] = ()) -> list[AuditProblem]:
    """See `verify`; for a log that was read already."""
    digests = {digest for line in reading.lines if (digest := _digest_of(line)) is not None}
    gone = "no entry has this digest, which was kept elsewhere: the log was rewritten, or is a different one"
    missing = [AuditProblem(digest, gone) for digest in expected if digest not in digests]
    return [*check_lines(reading.lines), *reading.problems, *missing]


def check_lines(lines: Sequence[StoredEntry]) -> list[AuditProblem]:
    """The lines that were edited, or do not follow the line before; after such a line the check goes on from it."""
    problems: list[AuditProblem] = []
    end: End | None = START
    for line in lines:
        try:
            entry = parse_entry(line.text)
        except IntegrityError as error:
            problems.append(AuditProblem(line.where, str(error)))
            end = None  # unknown: the next line is not compared with it
            continue
        if end is not None and entry.sequence != end.entries:
            wrong = f"holds entry {entry.sequence}, expected entry {end.entries}"
            problems.append(AuditProblem(line.where, f"{wrong}: entries were removed, inserted or reordered"))
        elif end is not None and entry.previous != end.digest:
            wrong = f"entry {entry.sequence} does not follow the entry before"
            problems.append(AuditProblem(line.where, f"{wrong}: one of the two was replaced"))
        end = End(entry.sequence + 1, entry.digest)
    return problems


def _digest_of(line: StoredEntry) -> str | None:
    try:
        return parse_entry(line.text).digest
    except IntegrityError:
        return None
