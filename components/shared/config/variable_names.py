"""Environment variables in a config: it names those that hold secrets, and never holds a secret itself."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from components.shared.redaction import redacted

_NO_VARIABLE_NAME = "(hidden: not the name of a variable)"


def _masked(value: object) -> object:
    """Hides a value that is not the name of a variable, since it may be the secret, from error messages."""
    is_name = isinstance(value, str) and re.fullmatch(r"[A-Z_][A-Z0-9_]{0,99}", value)
    return value if is_name or value is None else _NO_VARIABLE_NAME


VariableName = Annotated[str, BeforeValidator(_masked), Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]
"""Name of an environment variable: upper case, digits and _."""

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""Name of any environment variable."""

_SECRET = re.compile(r"PASSW(OR)?D|SECRET|(^|_)(TOKEN|KEY|KEY_ID|CREDENTIALS?)$", re.IGNORECASE)
_HIDDEN = "(hidden)"


def _hide_secrets(variables: object) -> object:
    """Hides the values of what looks like secrets from error messages."""
    if not isinstance(variables, dict):
        return variables
    return {name: _HIDDEN if _is_secret(str(name), value) else value for name, value in variables.items()}


def _is_secret(name: str, value: object) -> bool:
    return bool(_SECRET.search(name)) or (isinstance(value, str) and redacted(value) != value)


def _refuse_secrets(variables: dict[str, str]) -> dict[str, str]:
    if secret := sorted(name for name, value in variables.items() if value == _HIDDEN):
        raise ValueError(
            f"{', '.join(secret)} must not stand in a config, because its values stand in every compiled pipeline: put "
            "it into a secret of the cluster, and name that under cluster.secrets"
        )
    return variables


PlainVariables = Annotated[dict[Variable, str], AfterValidator(_refuse_secrets), BeforeValidator(_hide_secrets)]
"""Environment variables with their values, none of which is a password, key or token."""
