"""Single requests about objects in S3: whether one exists, read it, remove it, write it once, list them."""

import base64
from datetime import datetime
from typing import Any, NamedTuple

from components.shared.digests import digest_bytes
from components.shared.errors import IntegrityError
from components.shared.storage.addresses import parse_s3
from components.shared.storage.problems import code_of, storage_error, translated
from components.shared.storage.s3_client import s3_client

_DIGEST_KEY = "sha256"
"""Metadata of an object: the hex digest of its content."""

_READ_ATTEMPTS = 3
"""How often an object is read whose connection breaks while its content arrives."""


class ObjectHead(NamedTuple):
    """Size and digest of an object, from the answer to a HEAD."""

    size: int
    """Bytes."""
    sha256: str | None
    """Digest of the content (`sha256:<hex>`) that its writer or the store recorded; None: neither did."""


def head(address: str) -> ObjectHead | None:
    """Size and digest of an object; None: it does not exist.

    Raises:
        StorageError: the store does not say (no such bucket, no permission, no connection).
    """
    from botocore.exceptions import ClientError

    bucket, key = parse_s3(address)
    with translated(address):
        try:
            answer = s3_client().head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if code_of(error) in {"404", "NoSuchKey", "NotFound"}:
                _require_bucket(address)
                return None
            raise _reason(address, error) from None
    return ObjectHead(int(answer["ContentLength"]), _recorded_digest(answer))


def read_object(address: str) -> bytes:
    """All bytes of an object, in one request.

    Raises:
        StorageError: it does not exist, may not be read, or its content broke off or was damaged at every attempt.
        IntegrityError: it does not have the digest that its writer recorded.
    """
    from botocore.exceptions import FlexibleChecksumError, HTTPClientError, IncompleteReadError

    bucket, key = parse_s3(address)
    with translated(address):
        for attempt in range(1, _READ_ATTEMPTS + 1):
            answer = s3_client().get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
            try:
                content: bytes = answer["Body"].read()
                break
            except (HTTPClientError, IncompleteReadError, FlexibleChecksumError):
                if attempt == _READ_ATTEMPTS:
                    raise
    digest, expected = digest_bytes(content), _recorded_digest(answer)
    if expected not in (None, digest):
        raise IntegrityError(f"{address}: has digest {digest}, expected {expected}")
    return content


def write_arguments(digest: str) -> dict[str, Any]:
    """What every write sends besides the content: its digest as metadata, and a checksum that the store compares.

    `AWS_REQUEST_CHECKSUM_CALCULATION=when_required` leaves the checksum out, which boto3 sends behind the content over
    TLS: some stores do not take that.

    Args:
        digest: of the content (`sha256:<hex>`).
    """
    arguments: dict[str, Any] = {"Metadata": {_DIGEST_KEY: digest.removeprefix("sha256:")}}
    if s3_client().meta.config.request_checksum_calculation != "when_required":
        arguments["ChecksumAlgorithm"] = "SHA256"
    return arguments


def delete_object(address: str) -> None:
    """Removes an object; harmless if there is none.

    Raises:
        StorageError: it cannot be removed.
    """
    bucket, key = parse_s3(address)
    with translated(address):
        s3_client().delete_object(Bucket=bucket, Key=key)


def put_new(text: str, address: str, keep_until: datetime | None = None) -> bool:
    """Writes a text to an S3 object that does not exist yet; False if it exists or another writer was faster.

    The store decides that within the request (`If-None-Match: *`), so that exactly one of two writers wins. It must
    support the header; S3 does since August 2024.

    Args:
        text: the content.
        address: s3:// address.
        keep_until: the object cannot be deleted before (object lock, governance mode); None: it can.

    Raises:
        StorageError: it cannot be written.
    """
    from botocore.exceptions import ClientError

    bucket, key = parse_s3(address)
    content = text.encode()
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": keep_until} if keep_until else {}
    with translated(address):
        try:
            s3_client().put_object(
                Bucket=bucket,
                Key=key,
                Body=content,
                IfNoneMatch="*",
                **write_arguments(digest_bytes(content)),
                **lock,
            )
        except ClientError as error:
            if code_of(error) in {"PreconditionFailed", "ConditionalRequestConflict"}:
                return False
            raise
    return True


def list_addresses(address: str) -> list[str]:
    """The objects below an s3:// address, in order of their keys.

    Raises:
        StorageError: the store does not say.
    """
    bucket, key = parse_s3(address)
    with translated(address):
        pages = s3_client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{key.rstrip('/')}/")
        return [f"s3://{bucket}/{item['Key']}" for page in pages for item in page.get("Contents", [])]


def has_object_lock(address: str) -> bool:
    """Whether the bucket of an s3:// address can protect objects from deletion.

    Raises:
        StorageError: the store does not say (no such bucket, no permission, no connection).
    """
    from botocore.exceptions import ClientError

    bucket, _ = parse_s3(address)
    with translated(address):
        try:
            answer = s3_client().get_object_lock_configuration(Bucket=bucket)
        except ClientError as error:
            if code_of(error) in {"ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed"}:
                return False
            raise
    return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")


_seen: set[tuple[int, str]] = set()
"""Buckets that exist, by client, so that each is checked once."""


def _require_bucket(address: str) -> None:
    """Raises if the bucket is missing: a HEAD answers 404 for a missing bucket and a missing object."""
    from botocore.exceptions import ClientError

    client, bucket = s3_client(), parse_s3(address).bucket
    if (id(client), bucket) in _seen:
        return
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchBucket"}:
            error.response["Error"]["Code"] = "NoSuchBucket"
            raise storage_error(address, error) from None
        return  # it may be seen, but not listed
    _seen.add((id(client), bucket))


def _reason(address: str, error: Exception) -> Exception:
    """Why a HEAD was refused: its answer has no body, so a GET of one byte is sent to get the reason."""
    from botocore.exceptions import ClientError

    bucket, key = parse_s3(address)
    try:
        s3_client().get_object(Bucket=bucket, Key=key, Range="bytes=0-0")["Body"].close()
    except ClientError as explained:
        return storage_error(address, explained)
    return error


def _recorded_digest(answer: dict[str, Any]) -> str | None:
    """The digest in the answer to HEAD or GET: from the object's metadata, else the store's checksum of the whole."""
    metadata = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}  # some servers capitalise
    if value := metadata.get(_DIGEST_KEY):
        return f"sha256:{value}"
    checksum = str(answer.get("ChecksumSHA256", "-"))
    return None if "-" in checksum else f"sha256:{base64.b64decode(checksum).hex()}"  # "-N": of the digests of N parts
