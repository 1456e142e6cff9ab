"""The audit log: an append-only chain of what was done, by whom, when and why.

`record` appends an entry from a step; `open_log` opens a log, a local JSONL file or objects in S3; `verify` finds
every edited, removed, inserted or reordered entry.
"""

from components.shared.audit.chain import AuditProblem, Reading
from components.shared.audit.entry import AUDIT_LOG_TAG, AUDIT_TAG, EVENTS, AuditEntry, Event
from components.shared.audit.log import AuditLog, open_log, record
from components.shared.audit.registrations import NO_VERSION, StandingReader, standing, unfinished
from components.shared.audit.verifying import check_reading, sound_entries, verify

__all__ = [
    "AUDIT_LOG_TAG",
    "AUDIT_TAG",
    "EVENTS",
    "NO_VERSION",
    "AuditEntry",
    "AuditLog",
    "AuditProblem",
    "Event",
    "Reading",
    "StandingReader",
    "check_reading",
    "open_log",
    "record",
    "sound_entries",
    "standing",
    "unfinished",
    "verify",
]
