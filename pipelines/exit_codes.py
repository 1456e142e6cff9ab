"""The exit codes of `plimsoll run`; no decision shares its code with a failure.

0 promote, 10 reject, 11 needs review, 12 insufficient evidence, 13 invalid; 2 wrong input; 3 a bug in plimsoll,
whose traceback is in the file that the message names; 1 any other failure, interruptions included.
"""

from components.shared.artifacts.decision import Decision

FAILURE = 1
USAGE = 2
BUG = 3

DECISION_CODES = {
    Decision.PROMOTE: 0,
    Decision.REJECT: 10,
    Decision.NEEDS_REVIEW: 11,
    Decision.INSUFFICIENT_EVIDENCE: 12,
    Decision.INVALID: 13,
}

_USER_ERRORS = {"ConfigError", "DataError"}


def error_code(kind: str) -> int:
    """The code for an error, by the name of its class."""
    return USAGE if kind in _USER_ERRORS else FAILURE
