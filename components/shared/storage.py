"""Reads and writes bytes by address: a local path, or `s3://bucket/key`.

The only module that imports boto3, and only when an s3 address is used. Credentials, region and a custom
endpoint (`AWS_ENDPOINT_URL`) come from the environment, as boto3 reads them. It does not know what the bytes mean.
"""

import os
import shutil
import tempfile
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from components.shared.errors import StorageError


class S3Address(NamedTuple):
    """A bucket and a key."""

    bucket: str
    key: str


def is_s3(address: str) -> bool:
    """Whether an address is an object in S3 rather than a local path."""
    return address.startswith("s3://")


def parse_s3(address: str) -> S3Address:
    """Splits `s3://bucket/key`.

    Raises:
        StorageError: bucket or key is missing.
    """
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise StorageError(f"{address!r}: expected s3://BUCKET/KEY")
    return S3Address(bucket, key)


def join(address: str, *parts: str) -> str:
    """An address below another."""
    return "/".join([address.rstrip("/"), *parts])


def read_bytes(address: str) -> bytes:
    """All bytes of a file or object.

    Raises:
        StorageError: it does not exist, or may not be read.
    """
    if is_s3(address):
        with tempfile.TemporaryDirectory() as directory:
            return fetch(address, Path(directory) / "object").read_bytes()
    try:
        return Path(address).read_bytes()
    except FileNotFoundError:
        raise StorageError(f"{address}: no such file (looked in {Path.cwd()})") from None
    except IsADirectoryError:
        raise StorageError(f"{address}: is a directory, expected a file") from None
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror}") from None


def exists(address: str) -> bool:
    """Whether a file or object is there.

    Raises:
        StorageError: the store does not say (no such bucket, no permission, no connection).
    """
    if not is_s3(address):
        return Path(address).exists()
    bucket, key = parse_s3(address)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _client().head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey", "NotFound"}:
            return False
        raise _s3_error(address, error) from None
    except BotoCoreError as error:
        raise _s3_error(address, error) from None
    return True


def fetch(address: str, target: Path) -> Path:
    """Copies a file or object to a local path, whole or not at all.

    Raises:
        StorageError: it does not exist, or may not be read.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{target}: its directory cannot be made: {error.strerror}") from None
    partial = target.with_name(f".{target.name}.partial-{os.getpid()}")
    try:
        if is_s3(address):
            from botocore.exceptions import BotoCoreError, ClientError

            bucket, key = parse_s3(address)
            try:
                _client().download_file(bucket, key, str(partial))
            except (ClientError, BotoCoreError) as error:
                raise _s3_error(address, error) from None
        else:
            shutil.copyfile(address, partial)
        partial.replace(target)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
    return target


def put(source: Path, address: str) -> None:
    """Copies a local file to an address, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    if is_s3(address):
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = parse_s3(address)
        try:
            _client().upload_file(str(source), bucket, key)
        except (ClientError, BotoCoreError, Boto3Error) as error:
            raise _s3_error(address, error) from None
    else:
        fetch(str(source), Path(address))


def delete(address: str) -> None:
    """Removes a file or object; harmless where there is none.

    Raises:
        StorageError: it cannot be removed.
    """
    if is_s3(address):
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = parse_s3(address)
        try:
            _client().delete_object(Bucket=bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            raise _s3_error(address, error) from None
        return
    try:
        Path(address).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror}") from None


def put_text(text: str, address: str) -> None:
    """Writes a text to an address, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "text"
        source.write_text(text, encoding="utf-8")
        put(source, address)


def put_new(text: str, address: str, keep_until: datetime | None = None) -> bool:
    """Writes a text to an S3 object that does not exist yet; False where it exists, or another is being written.

    The store decides that in the request itself (`If-None-Match: *`), so that of two writers exactly one wins. It takes
    a store that knows the header: S3 does since August 2024.

    Args:
        text: the content.
        address: s3:// address.
        keep_until: the object cannot be deleted before (object lock, governance mode); None: it can.

    Raises:
        StorageError: it cannot be written.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = parse_s3(address)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": keep_until} if keep_until else {}
    try:
        _client().put_object(Bucket=bucket, Key=key, Body=text.encode(), IfNoneMatch="*", **lock)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in {"PreconditionFailed", "ConditionalRequestConflict"}:
            return False
        raise _s3_error(address, error) from None
    except BotoCoreError as error:
        raise _s3_error(address, error) from None
    return True


def list_addresses(address: str) -> list[str]:
    """The objects below an s3:// address, in order of their keys.

    Raises:
        StorageError: the store does not say.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = parse_s3(address)
    pages = _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{key.rstrip('/')}/")
    try:
        return [f"s3://{bucket}/{found['Key']}" for page in pages for found in page.get("Contents", [])]
    except (ClientError, BotoCoreError) as error:
        raise _s3_error(address, error) from None


def has_object_lock(address: str) -> bool:
    """Whether the bucket of an s3:// address can protect objects from deletion.

    Raises:
        StorageError: the store does not say (no such bucket, no permission, no connection).
    """
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _ = parse_s3(address)
    try:
        answer = _client().get_object_lock_configuration(Bucket=bucket)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in {"ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed"}:
            return False
        raise _s3_error(address, error) from None
    except BotoCoreError as error:
        raise _s3_error(address, error) from None
    return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")


@cache
def _client() -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(retries={"max_attempts": 5, "mode": "standard"}))


def _s3_error(address: str, error: Exception) -> StorageError:
    code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
    cures = {
        "404": "there is no such object: check bucket and key",
        "NoSuchKey": "there is no such object: check the key",
        "NoSuchBucket": "there is no such bucket",
        "403": "access denied: check credentials and bucket policy",
        "AccessDenied": "access denied: check credentials and bucket policy",
        "NoCredentialsError": "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role",
        "EndpointConnectionError": "no connection: check AWS_ENDPOINT_URL and the network",
    }
    return StorageError(f"{address}: {cures.get(str(code), str(error))} [{code}]")
