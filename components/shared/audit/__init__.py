"""The audit log: an append-only chain of what was done, by whom, when and why.

`record` appends an entry from a step; `open_log` opens a log, a local JSONL file or objects in S3; `verify` finds
every edited, removed, inserted or reordered entry.
"""

from components.shared.audit.chain import AuditProblem, Reading
from components.shared.audit.entry import AUDIT_TAG, EVENTS, AuditEntry, Event
from components.shared.audit.log import AuditLog, open_log, record
from components.shared.audit.verifying import check_reading, verify

__all__ = [
    "AUDIT_TAG",
    "EVENTS",
    "AuditEntry",
    "AuditLog",
    "AuditProblem",
    "Event",
    "Reading",
    "check_reading",
    "open_log",
    "record",
    "verify",
]
