"""Names of environment variables that hold secrets: a config names them, and never holds the secret itself."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

_NO_VARIABLE_NAME = "(hidden: not the name of a variable)"


def _masked(value: object) -> object:
    """Hides a value that is not the name of a variable, since it may be the secret, from error messages."""
    is_name = isinstance(value, str) and re.fullmatch(r"[A-Z_][A-Z0-9_]{0,99}", value)
    return value if is_name or value is None else _NO_VARIABLE_NAME


VariableName = Annotated[str, BeforeValidator(_masked), Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]
"""Name of an environment variable: upper case, digits and _."""
