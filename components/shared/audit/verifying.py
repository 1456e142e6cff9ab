"""Checks an audit log from its first entry to its last, and says in words what is not as it was written.

Who rewrites the whole log and the records beside it leaves a log that holds together; only a digest that was kept
somewhere else shows that (`expected`). This module does not know where entries are kept.
"""

from collections.abc import Sequence

from components.shared.audit.chain import AuditProblem, Line, Reading
from components.shared.audit.entry import START, End, parse_entry
from components.shared.audit.log import AuditLog
from components.shared.errors import IntegrityError


def verify(log: AuditLog, expected: Sequence[str] = ()) -> list[AuditProblem]:
    """What is wrong with a log; empty for one that is as it was written.

    Args:
        log: the log.
        expected: digests of entries that must be in it, as kept elsewhere (MLflow tag `plimsoll.audit_digest`).

    Raises:
        StorageError: the log cannot be read.
    """
    return check_reading(log.read(), expected)


def check_reading(reading: Reading, expected: Sequence[str] = ()) -> list[AuditProblem]:
    """See `verify`; for a log that was read already."""
    found = {digest for line in reading.lines if (digest := _digest_of(line)) is not None}
    missing = [
        AuditProblem(digest, "no entry has this digest, which was kept elsewhere: the log was rewritten, or is another")
        for digest in expected
        if digest not in found
    ]
    return [*check_lines(reading.lines), *reading.problems, *missing]


def check_lines(lines: Sequence[Line]) -> list[AuditProblem]:
    """Lines that were edited, or that do not follow the line before; after a break the check goes on from there."""
    problems: list[AuditProblem] = []
    end: End | None = START
    for line in lines:
        try:
            entry = parse_entry(line.text)
        except IntegrityError as error:
            problems.append(AuditProblem(line.where, str(error)))
            end = None  # unknown: what follows is held against nothing
            continue
        if end is not None and entry.sequence != end.entries:
            wrong = f"holds entry {entry.sequence}, expected entry {end.entries}"
            problems.append(AuditProblem(line.where, f"{wrong}: entries were removed, inserted or reordered"))
        elif end is not None and entry.previous != end.digest:
            wrong = f"entry {entry.sequence} does not follow the entry before"
            problems.append(AuditProblem(line.where, f"{wrong}: one of the two was replaced"))
        end = End(entry.sequence + 1, entry.digest)
    return problems


def _digest_of(line: Line) -> str | None:
    try:
        return parse_entry(line.text).digest
    except IntegrityError:
        return None
