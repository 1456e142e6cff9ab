"""The boto3 client of this process, made once, when an s3 address is first used."""

import os
from functools import cache
from threading import Lock
from typing import Any

_CONNECT_S, _READ_S = 10, 60
_ATTEMPTS = 5
_CONNECTIONS = 16
_MAKING = Lock()


def s3_client() -> Any:
    """The client. Clients may be used by several threads; making one may not, so one thread makes it."""
    with _MAKING:
        return _made()


def _cache_clear() -> None:
    _made.cache_clear()


@cache
def _made() -> Any:
    from boto3.session import Session
    from botocore.config import Config

    retries: dict[str, Any] = {}
    if not {"AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"} & os.environ.keys():  # an explicit setting would hide these
        retries = {"total_max_attempts": _ATTEMPTS, "mode": "standard"}
    config = Config(
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        max_pool_connections=_CONNECTIONS,
        # Some servers send the checksum of the whole object with a part of it; `read_object` reads a whole and asks.
        response_checksum_validation="when_required",
        retries=retries or None,
    )
    return Session().client("s3", config=config)


s3_client.cache_clear = _cache_clear  # type: ignore[attr-defined]
