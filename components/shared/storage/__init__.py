"""Reads and writes bytes by address: a local path, or `s3://bucket/key`.

The only package that imports boto3, and only when an s3 address is used. Credentials, region, a custom endpoint
(`AWS_ENDPOINT_URL`) and the number of attempts come from the environment, as boto3 reads them. An object that is
written to S3 carries the sha256 of its content, and what is read is checked against it.
"""

from components.shared.storage.addresses import S3Address, is_s3, join, parse_s3
from components.shared.storage.full_disk import FullDiskError, full_disk_error, is_full, names_full_disk
from components.shared.storage.local_files import (
    atomic_write,
    delete,
    delete_tree,
    exists,
    fetch,
    local_file,
    put,
    put_text,
    read_bytes,
)
from components.shared.storage.objects import has_object_lock, list_addresses, put_new
from components.shared.storage.problems import (
    AccessDeniedError,
    BucketMissingError,
    ClockSkewError,
    CredentialsError,
    ObjectMissingError,
    UnreachableError,
)
from components.shared.storage.s3_client import s3_client as _client

__all__ = [
    "AccessDeniedError",
    "BucketMissingError",
    "ClockSkewError",
    "CredentialsError",
    "FullDiskError",
    "ObjectMissingError",
    "S3Address",
    "UnreachableError",
    "_client",
    "atomic_write",
    "delete",
    "delete_tree",
    "exists",
    "fetch",
    "full_disk_error",
    "has_object_lock",
    "is_full",
    "is_s3",
    "join",
    "list_addresses",
    "local_file",
    "names_full_disk",
    "parse_s3",
    "put",
    "put_new",
    "put_text",
    "read_bytes",
]
