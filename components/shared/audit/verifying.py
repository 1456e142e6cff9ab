"""Checks an audit log from its first entry to its last and reports every change.

A log that was rewritten as a whole, with the records beside it, is consistent: only a digest that was kept somewhere
else reveals that (`expected`).
"""

import time
from collections.abc import Sequence

from components.shared.audit.chain import AuditProblem, Reading, StoredEntry
from components.shared.audit.entry import START, AuditEntry, End, parse_entry
from components.shared.audit.log import AuditLog
from components.shared.errors import IntegrityError

_TRIES, _PAUSE_S = 4, 0.5
"""In S3 a writer makes an entry first and its copy afterwards; between the two the log looks damaged."""


def sound_entries(log: AuditLog) -> list[AuditEntry]:
    """The entries of a log that was verified from its first entry to its last, oldest first.

    What a killed writer left is put right first, as by the next append.

    Raises:
        StorageError: the log cannot be read or written.
        IntegrityError: an entry was edited, removed, inserted or reordered.
    """
    for attempt in range(_TRIES):
        log.check()
        reading = log.read()
        problems = check_reading(reading)
        if not problems:
            return list(reading.entries())
        if attempt < _TRIES - 1:
            time.sleep(_PAUSE_S)
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    raise IntegrityError(
        f"audit log {log.address}: {problems[0]}{more}; expected a log that nobody changed: see `plimsoll audit verify "
        f"--log {log.address}`, keep it as evidence, and start another log"
    )


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
