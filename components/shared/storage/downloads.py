"""Downloads an object: streamed to disk, resumed where it broke, checked against its sha256.

What has arrived of a large object outlives a failure, and the next call goes on behind it, if the object is still the
same one. Memory does not grow with the object. One stream is used, so that the digest is taken on the way. It does not
know what the bytes mean.
"""

import base64
import hashlib
import random
import time
from pathlib import Path
from typing import Any, NamedTuple

from components.shared.errors import IntegrityError, StorageError
from components.shared.storage.addresses import parse_s3
from components.shared.storage.objects import content_digest
from components.shared.storage.partials import Partial, begin, left_over, plain
from components.shared.storage.problems import code_of, translated
from components.shared.storage.s3_client import s3_client

_BLOCK = 1 << 20
_ATTEMPTS = 5
"""Broken streams in a row without a byte between them."""
_LONGEST_PAUSE_S = 10.0
_TRIES = 3


class _Spoilt(Exception):  # noqa: N818 - never leaves this module
    """What has arrived is of no use: the object is another one now, or bytes were damaged."""


class _Filled(NamedTuple):
    """A complete partial file, the digest of its bytes, and the one that they should have, where somebody knows."""

    partial: Partial
    digest: str
    recorded: str | None


class _Filling:
    """An object on its way into a partial file."""

    def __init__(self, address: str, target: Path, partial: Partial | None) -> None:
        self.partial = partial
        self._address, self._target = address, target
        self._running = hashlib.sha256()
        self._recorded: str | None = None
        if partial is not None:
            while block := partial.stream.read(_BLOCK):
                self._running.update(block)

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.partial.stream.tell() if self.partial is not None else 0

    def stream(self) -> _Filled:
        """Asks for what is missing, and takes it.

        Raises:
            _Spoilt: what is there already is of no use.
            BotoCoreError, ClientError: the object may not be read, or the stream broke.
        """
        from botocore.exceptions import FlexibleChecksumError

        offset = self.size
        answer = _get(self._address, offset, self.partial.etag if self.partial is not None else None)
        self._recorded = _recorded(answer, offset) or self._recorded
        if self.partial is None:
            self.partial = begin(self._target, str(answer["ETag"]))
        try:
            for block in answer["Body"].iter_chunks(_BLOCK):
                self.partial.stream.write(block)
                self._running.update(block)
        except FlexibleChecksumError:
            raise _Spoilt from None
        self.partial.stream.flush()
        return _Filled(self.partial, f"sha256:{self._running.hexdigest()}", self._recorded)


def download(address: str, target: Path, sha256: str | None = None) -> Path:
    """Copies an object to a local path, whole or not at all.

    Args:
        address: s3:// address.
        target: local path; its directory exists.
        sha256: the digest that it must have (`sha256:<hex>`); None: the one that its writer gave it, if any.

    Raises:
        StorageError: it does not exist, may not be read, or the connection failed for good.
        IntegrityError: it does not have its digest.
        OSError: the target cannot be written.
    """
    with translated(address):
        for _ in range(_TRIES):
            before = left_over(target)
            try:
                filled = _fill(_Filling(address, target, before))
            except _Spoilt:
                continue
            expected = sha256 or filled.recorded
            if expected in (None, filled.digest):
                filled.partial.become(target)
                return target
            filled.partial.discard()
            if before is None:  # else what an earlier call left may be to blame
                raise IntegrityError(f"{address}: has digest {filled.digest}, expected {expected}")
    raise StorageError(f"{address}: changed {_TRIES} times while it was read, or was damaged on the way; run again")


def _fill(filling: _Filling) -> _Filled:
    """Streams until the object is complete."""
    from botocore.exceptions import ConnectionError as NoConnectionError
    from botocore.exceptions import HTTPClientError, IncompleteReadError

    failures = 0
    try:
        while True:
            size = filling.size
            try:
                return filling.stream()
            except (HTTPClientError, NoConnectionError, IncompleteReadError):
                failures = 1 if filling.size > size else failures + 1
                if filling.partial is None or failures > _ATTEMPTS:  # the client has tried often enough
                    raise
                time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, 0.2 * 2**failures)))
    except BaseException as error:
        if filling.partial is not None:
            filling.partial.discard() if isinstance(error, _Spoilt) else filling.partial.leave()
        raise


def _get(address: str, offset: int, etag: str | None) -> dict[str, Any]:
    """Asks for an object from a byte on.

    Raises:
        _Spoilt: it is another object than before.
    """
    from botocore.exceptions import ClientError

    bucket, key = parse_s3(address)
    own: dict[str, Any] = {"Range": f"bytes={offset}-"} if offset else {"ChecksumMode": "ENABLED"}
    if etag is not None:
        own["IfMatch"] = etag
    try:
        answer: dict[str, Any] = s3_client().get_object(Bucket=bucket, Key=key, **own)
    except ClientError as error:
        if offset and code_of(error) in {"PreconditionFailed", "412", "InvalidRange", "416"}:
            raise _Spoilt from None
        raise
    another = etag is not None and plain(str(answer["ETag"])) != plain(etag)  # where If-Match is not known
    if another or (offset and not str(answer.get("ContentRange", "")).startswith(f"bytes {offset}-")):
        answer["Body"].close()
        raise _Spoilt
    return answer


def _recorded(answer: dict[str, Any], offset: int) -> str | None:
    """The object's digest: from its writer, or from the store where the answer is about all of it."""
    own = str(answer.get("ChecksumSHA256", "-"))
    if offset or "-" in own:  # of a part, or of digests of parts
        return content_digest(answer)
    return content_digest(answer) or f"sha256:{base64.b64decode(own).hex()}"
