"""Sends files to S3 and fetches objects with boto3's managed transfers: several parts at once where they are large.

An object carries the sha256 of its whole content as metadata, and a fetched file is checked against it.
"""

import time
from pathlib import Path
from threading import Lock
from typing import Any

from components.shared.digests import digest_file
from components.shared.errors import IntegrityError, StorageError
from components.shared.progress import speaker
from components.shared.storage.addresses import parse_s3
from components.shared.storage.objects import ObjectHead, head, write_arguments
from components.shared.storage.problems import translated
from components.shared.storage.s3_client import s3_client

PART = 16 << 20
"""Bytes of a part. A smaller file is sent in one request."""

_WORKERS = 4
"""Parts that are on their way at once."""
_EVERY_S = 4.0
"""Seconds between progress lines; a shorter transfer prints none."""


class _ProgressLines:
    """A callback for boto3, whose threads call it with the bytes that they have just moved."""

    def __init__(self, name: str, moved: str, total: int) -> None:
        self._name, self._moved, self._total = name, moved, total
        self._done, self._last = 0, time.monotonic()
        self._lock, self._say = Lock(), speaker("storage")

    def __call__(self, count: int) -> None:
        """Counts bytes; fewer than 0 where a part is repeated."""
        with self._lock:
            self._done += count
            if (now := time.monotonic()) - self._last >= _EVERY_S:
                self._last = now
                self._say(f"{self._name}: {self._done / 1e6:,.0f} of {self._total / 1e6:,.0f} MB {self._moved}")


def upload(source: Path, address: str, sha256: str | None = None) -> None:
    """Copies a file to S3, whole or not at all; a large one that is there already is not sent again.

    Args:
        source: local file.
        address: s3:// address.
        sha256: the file's digest, if the caller has it.

    Raises:
        StorageError: it cannot be written.
        OSError: the file cannot be read.
    """
    size, digest = source.stat().st_size, sha256 or digest_file(source)
    expected, large = ObjectHead(size, digest), size > PART
    if large and head(address) == expected:
        return
    bucket, key = parse_s3(address)
    with translated(address):
        s3_client().upload_file(
            str(source),
            bucket,
            key,
            ExtraArgs=write_arguments(digest),
            Callback=_ProgressLines(source.name, "sent", size),
            Config=_config(),
        )
    if large and (written := head(address)) != expected:
        raise StorageError(f"{address}: is {written}, expected {expected}: someone else writes it too; run again")


def download(address: str, target: Path, sha256: str | None = None) -> None:
    """Copies an object to a local path, which must not be used if this fails.

    Args:
        address: s3:// address.
        target: local path; its directory exists.
        sha256: the digest that the content must have (`sha256:<hex>`); None: the one that its writer recorded, if any.

    Raises:
        StorageError: it does not exist, may not be read, or the connection failed for good.
        IntegrityError: it does not have its digest.
        OSError: the target cannot be written.
    """
    bucket, key = parse_s3(address)
    size, recorded = head(address) or ObjectHead(0, None)  # a missing object is named by the transfer
    name = key.rpartition("/")[2]
    with translated(address):
        s3_client().download_file(
            bucket, key, str(target), Callback=_ProgressLines(name, "fetched", size), Config=_config()
        )
    digest, expected = digest_file(target), sha256 or recorded
    if expected not in (None, digest):
        raise IntegrityError(f"{address}: has digest {digest}, expected {expected}")


def _config() -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(
        multipart_threshold=PART + 1,
        multipart_chunksize=PART,
        max_concurrency=_WORKERS,
        preferred_transfer_client="classic",  # where awscrt is installed, its client would raise other errors
    )
