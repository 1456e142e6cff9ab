"""The errors that Plimsoll raises on purpose: one base class, each child also a standard error.

A message names the value, what was expected and the cure; a password in an address that it quotes is removed.
`pipelines.exit_codes` maps errors and decisions to exit codes.
"""

from components.shared.redaction import redacted


class PlimsollError(Exception):
    """Base of every error that a user can act on; shown without a traceback, and without passwords."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(redacted(value) if isinstance(value, str) else value for value in args))


LIBRARY_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a library raises for content that its authors did not think of. Caught at the doors only, around one call."""


class ConfigError(PlimsollError, ValueError):
    """A configuration, policy or suite file is wrong: found before any model is loaded."""


class DataError(PlimsollError, ValueError):
    """A training or suite row is wrong: the message names file and line."""


class StorageError(PlimsollError, OSError):
    """A file or object cannot be read or written."""


class ModelError(PlimsollError, RuntimeError):
    """A base model or adapter cannot be loaded, or does not behave like one."""


class IntegrityError(PlimsollError, RuntimeError):
    """Content does not have the digest that was recorded for it."""


class TrackingError(PlimsollError, RuntimeError):
    """The MLflow store does not hold what a step needs."""
