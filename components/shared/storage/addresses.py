"""Addresses: a local path, or `s3://bucket/key`."""

from typing import NamedTuple

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
