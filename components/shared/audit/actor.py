"""Who acts: a person, or the service account of a pod.

The name proves nothing, as whoever can write the log can write any name: permissions must restrict who writes where.
"""

import base64
import binascii
import json
import os
from pathlib import Path

_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""Where Kubernetes mounts a pod's token; only the name in it is read; the signature is not checked."""


def who_acts(token: Path = _TOKEN) -> str:
    """PLIMSOLL_USER, else USER, else the pod's service account, else `unknown`."""
    return os.environ.get("PLIMSOLL_USER") or os.environ.get("USER") or _service_account(token) or "unknown"


def _service_account(token: Path) -> str | None:
    """`system:serviceaccount:NAMESPACE:NAME`, the subject of the pod's token (a JWT); None without a token."""
    try:
        payload = token.read_text(encoding="ascii").split(".")[1]
        subject = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get("sub")
    except (OSError, IndexError, AttributeError, binascii.Error, ValueError):
        return None
    return subject if isinstance(subject, str) else None
