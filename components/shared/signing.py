"""Signs what is kept in a store with a key from the environment, so that who may write the store cannot forge it.

A digest proves that content fits its index; a signature proves that the index was written by someone who has the key.
"""

import hmac
import os

from components.shared.digests import canonical_json
from components.shared.errors import ConfigError

SHORTEST_KEY = 32
"""Least characters of a key. `openssl rand -hex 32` prints 64."""

_FORM = "plimsoll signature 1"
"""Enters every signature, so that a later form of content is never taken for this one."""

_ALGORITHM = "hmac-sha256"


class SigningKey:
    """A secret key that signs and checks signatures. It is never shown.

    Args:
        variable: name of the environment variable that holds the key, for messages.
        secret: the key.
    """

    def __init__(self, variable: str, secret: str) -> None:
        self.variable = variable
        self._secret = secret.encode()

    def __repr__(self) -> str:
        return f"SigningKey({self.variable!r})"

    def sign(self, content: object) -> str:
        """The signature of a JSON value: `hmac-sha256:<64 hex digits>`."""
        text = canonical_json([_FORM, content]).encode()
        return f"{_ALGORITHM}:{hmac.new(self._secret, text, 'sha256').hexdigest()}"

    def confirms(self, signature: object, content: object) -> bool:
        """Whether this key made a signature of a JSON value; compared in constant time."""
        return isinstance(signature, str) and hmac.compare_digest(signature.encode(), self.sign(content).encode())


def key_from_environment(variable: str | None) -> SigningKey | None:
    """The key in an environment variable; None if no variable is named.

    Raises:
        ConfigError: the variable is missing, or holds less than 32 characters.
    """
    if not variable:
        return None
    secret = os.environ.get(variable, "").strip()
    if len(secret) >= SHORTEST_KEY:
        return SigningKey(variable, secret)
    problem = f"holds {len(secret)} characters" if secret else "is not set"
    raise ConfigError(
        f"store_key_env: the environment variable {variable} {problem}; expected the key that signs the store's "
        f"entries, at least {SHORTEST_KEY} characters; set it to the same secret for every step (`openssl rand -hex "
        "32` makes one; on a cluster, cluster.secrets gives it), or remove store_key_env"
    )
