"""The head record: where the audit log in a file ends, stored beside it so that a removed end is found.

Every append writes it twice: before, with the digest of the new entry as `pending`, and after, without. So a log whose
writer was killed (a digest is pending) is told from a log whose end was cut off (none is).
"""

import os
from pathlib import Path

from pydantic import Field, ValidationError

from components.shared.artifacts.artifact import Record
from components.shared.audit.entry import START, End
from components.shared.digests import canonical_json, short
from components.shared.errors import IntegrityError
from components.shared.storage import atomic_write


class Head(Record):
    """Where the log ends."""

    entries: int = Field(ge=0)
    digest: str = Field(description="Of the last entry.")
    pending: str | None = Field(description="Digest of the entry that is being appended; None at rest.")


def read_head(path: Path) -> Head | None:
    """The record; None if the file does not exist.

    Raises:
        IntegrityError: the file is not a head record.
        OSError: it cannot be read.
    """
    if not path.exists():
        return None
    try:
        return Head.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise IntegrityError(f"its head record {path} is not one: {error.errors()[0]['msg']}") from None


def write_head(path: Path, head: Head) -> None:
    """Writes the record, whole or not at all, and through to the disk.

    Raises:
        OSError: it cannot be written.
    """
    with atomic_write(path) as partial, partial.open("w", encoding="utf-8") as stream:
        stream.write(f"{canonical_json(head.model_dump())}\n")
        stream.flush()
        os.fsync(stream.fileno())
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def disagreement(end: End, head: Head | None, torn: bytes) -> str | None:
    """How the head record contradicts the end of a log, in words; None if they agree.

    Args:
        end: where the whole lines end.
        head: the record; None if it does not exist.
        torn: what follows the last whole line.
    """
    if head is None:
        gone = "its head record is gone, so that a removed end could not be seen"
        return gone if torn or end != START else None
    if torn and head.pending is None:
        return "the last line is incomplete, though no writer was at it: its end was cut off"
    settled = End(head.entries, head.digest)
    finished = End(head.entries + 1, head.pending) if head.pending and not torn else settled
    if end in (settled, finished):
        return None
    if end.entries < head.entries:
        return f"the head record counts {head.entries} entries, the log has {end.entries}: its end was removed"
    return (
        f"the log has {end.entries} entries and ends in {short(end.digest)}, the head record says {head.entries} and "
        f"{short(head.digest)}: entries were added or changed by something other than Plimsoll"
    )
