"""One entry of the audit log, sealed by its digest and chained to the entry before by that entry's digest.

An entry is one line of canonical JSON, so that equal entries are equal bytes and every changed byte is found.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple, get_args

from pydantic import Field, ValidationError

from components.shared.artifacts.artifact import Record
from components.shared.digests import canonical_json, digest_json, short
from components.shared.errors import ConfigError, IntegrityError

Event = Literal[
    "triggered",
    "data_accepted",
    "trained",
    "evaluated",
    "compared",
    "followed_up",
    "decided",
    "registering",
    "registered",
    "rejected",
    "review",
    "rollback",
    "waiver",
]
EVENTS: tuple[str, ...] = get_args(Event)

AUDIT_TAG = "plimsoll.audit_digest"
"""MLflow tag of the run that an entry is about; holds the entry's digest, outside the log."""

AUDIT_LOG_TAG = "plimsoll.audit_log"
"""MLflow tag of a decided run; holds the log's address."""

_DIGEST = r"^sha256:[0-9a-f]{64}$"


class End(NamedTuple):
    """Where a chain ends."""

    entries: int
    digest: str
    """Of the last entry."""


START = End(0, f"sha256:{'0' * 64}")
"""The end of an empty chain."""


class AuditEntry(Record):
    """What was done, by whom, when and why."""

    sequence: int = Field(ge=0, description="Position in the log, from 0.")
    time: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", description="UTC, by the writer's clock.")
    event: Event
    who: str = Field(min_length=1)
    why: str = Field(min_length=1, description="One sentence.")
    pipeline: str
    pipeline_run: str
    facts: dict[str, str] = Field(description="Digests, names and counts, by name.")
    previous: str = Field(pattern=_DIGEST, description="Digest of the entry before; zeros for the first.")
    digest: str = Field(pattern=_DIGEST, description="Digest of everything else in this entry.")

    @property
    def line(self) -> str:
        """The entry as it is stored, without the line's end."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def tags(self) -> dict[str, str]:
        """The entry's digest, as an MLflow tag for the run that it is about."""
        return {AUDIT_TAG: self.digest}


def seal(
    end: End, event: Event, why: str, facts: Mapping[str, str], pipeline: str, pipeline_run: str, who: str
) -> AuditEntry:
    """The entry that follows the end of a chain, with the current time.

    Raises:
        ConfigError: who or why is empty.
    """
    for name, text in (("who", who), ("why", why)):
        if not text.strip():
            raise ConfigError(f"audit entry {event!r}: {name} is {text!r}, expected a name or a sentence")
    content = {
        "sequence": end.entries,
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "event": event,
        "who": _plain(who),
        "why": _plain(why),
        "pipeline": _plain(pipeline),
        "pipeline_run": _plain(pipeline_run),
        "facts": {_plain(name): _plain(value) for name, value in facts.items()},
        "previous": end.digest,
    }
    return AuditEntry.model_validate({**content, "digest": digest_json(content)})


def parse_entry(text: bytes) -> AuditEntry:
    """The entry in a line, which must be byte for byte what was written.

    Raises:
        IntegrityError: it is not; the message says what changed, and the caller adds where.
    """
    try:
        entry = AuditEntry.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise IntegrityError(f"is not an audit entry: {field + ': ' if field else ''}{first['msg']}") from None
    sealed = digest_json(entry.model_dump(mode="json", exclude={"digest"}))
    if sealed != entry.digest:
        raise IntegrityError(
            f"entry {entry.sequence} was edited: its content has digest {short(sealed)}, "
            f"it was written with {short(entry.digest)}"
        )
    if entry.line.encode() != text:
        raise IntegrityError(f"entry {entry.sequence} was edited: its spacing, order of keys or spelling differs")
    return entry


def _plain(text: str) -> str:
    """The text as one line of valid Unicode: names from the environment may hold other bytes."""
    return " ".join(text.encode(errors="replace").decode().split())
