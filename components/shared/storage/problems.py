"""Turns the errors of S3, boto3 and s3transfer into ours: one sentence with the address and the cure."""

from collections.abc import Iterator
from contextlib import contextmanager

from components.shared.errors import StorageError


class BucketMissingError(StorageError):
    """There is no such bucket."""


class ObjectMissingError(StorageError):
    """There is no such object."""


class CredentialsError(StorageError):
    """There are no credentials, or the store does not accept them."""


class AccessDeniedError(StorageError):
    """The credentials are good, but do not allow this."""


class ClockSkewError(StorageError):
    """The clock of this machine is too far from that of the store."""


class UnreachableError(StorageError):
    """The store does not answer."""


_DENIED = (
    AccessDeniedError,
    (
        "access denied: check the credentials, and that the bucket's policy allows this (S3 also says this of a "
        "missing object where s3:ListBucket is not allowed)"
    ),
)
_REFUSED = (
    CredentialsError,
    (
        "the store does not accept the credentials: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, that they are "
        "of this endpoint, and AWS_SESSION_TOKEN if they are temporary"
    ),
)
_NONE = (
    CredentialsError,
    "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the service account a role",
)
_EXPIRED = (CredentialsError, "the temporary credentials have expired: get new ones and run again")
_SKEWED = (
    ClockSkewError,
    (
        "the clock of this machine differs from the store's by too much for a signed request: set it (chronyc "
        "tracking, or timedatectl, shows the difference)"
    ),
)
_NO_BUCKET = (BucketMissingError, "there is no such bucket: create it, or correct the address")
_NO_OBJECT = (ObjectMissingError, "there is no such object: check the key")
_UNREACHED = (UnreachableError, "no connection: check AWS_ENDPOINT_URL and the network, and run again")
_BUSY = (UnreachableError, "the store is overloaded or down, also after several attempts; run again later")
_REGION = (StorageError, "the bucket is in another region: set AWS_DEFAULT_REGION to it")
_NO_TRAILER = (
    StorageError,
    (
        "the store does not take a checksum behind the content: set AWS_REQUEST_CHECKSUM_CALCULATION=when_required "
        "(the sha256 of the content is recorded and checked all the same)"
    ),
)
_CHANGED = (StorageError, "the object changed while it was read: run again")

_BY_CODE: dict[str, tuple[type[StorageError], str]] = {
    "403": _DENIED,
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "AccountProblem": _DENIED,
    "InvalidAccessKeyId": _REFUSED,
    "SignatureDoesNotMatch": _REFUSED,
    "InvalidToken": _REFUSED,
    "ExpiredToken": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "RequestTimeTooSkewed": _SKEWED,
    "RequestExpired": _SKEWED,
    "404": _NO_OBJECT,
    "NoSuchKey": _NO_OBJECT,
    "NoSuchBucket": _NO_BUCKET,
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "MissingContentLength": _NO_TRAILER,
    "SlowDown": _BUSY,
    "ServiceUnavailable": _BUSY,
    "InternalError": _BUSY,
    "500": _BUSY,
    "502": _BUSY,
    "503": _BUSY,
    "504": _BUSY,
}
_BY_CLASS: dict[str, tuple[type[StorageError], str]] = {
    "NoCredentialsError": _NONE,
    "PartialCredentialsError": _NONE,
    "CredentialRetrievalError": _NONE,
    "ProfileNotFound": (CredentialsError, "AWS_PROFILE names a profile that does not exist: correct or unset it"),
    "SSLError": (UnreachableError, "TLS failed: check the scheme of AWS_ENDPOINT_URL, and AWS_CA_BUNDLE"),
    "HTTPClientError": _UNREACHED,
    "ConnectionError": _UNREACHED,  # botocore's and Python's
    "TimeoutError": _UNREACHED,
    "IncompleteReadError": _UNREACHED,
    "FlexibleChecksumError": (StorageError, "the content was damaged on its way: run again"),
    "S3DownloadFailedError": _CHANGED,
    "S3ValidationError": (StorageError, "the store sent another part of the object than was asked for: run again"),
}
_SKEW_TEXT = "difference between the request time"


def storage_error(address: str, error: BaseException) -> StorageError:
    """The error for people, from what boto3 raised.

    Args:
        address: of the object.
        error: a ClientError, BotoCoreError, Boto3Error or an error of s3transfer.

    Returns:
        A child of StorageError with the address, the cure and S3's code.
    """
    from boto3.exceptions import Boto3Error

    if isinstance(error, Boto3Error):  # a managed transfer wraps what it failed of
        error = getattr(error, "last_exception", None) or error.__context__ or error
    details = _error_details(error)
    code = str(details.get("Code") or type(error).__name__)
    if _SKEW_TEXT in str(details.get("Message", "")):  # some servers call it AccessDenied
        return ClockSkewError(f"{address}: {_SKEWED[1]} [{code}]")
    for name in (code, *(parent.__name__ for parent in type(error).__mro__)):
        if problem := _BY_CODE.get(name) or _BY_CLASS.get(name):
            kind, cure = problem
            return kind(f"{address}: {cure} [{code}]")
    return StorageError(f"{address}: {error} [{code}]")


@contextmanager
def translated(address: str) -> Iterator[None]:
    """Turns what boto3 raises in the block into a StorageError about an address."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from s3transfer.exceptions import (  # type: ignore[import-untyped,unused-ignore]
        S3DownloadFailedError,
        S3ValidationError,
    )

    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error, S3DownloadFailedError, S3ValidationError, ValueError) as error:
        if isinstance(error, ValueError) and "endpoint" not in str(error):
            raise
        raise storage_error(address, error) from None


def code_of(error: Exception) -> str:
    """S3's code of a ClientError; a status where the answer had no body, as that to a HEAD."""
    return str(_error_details(error).get("Code", ""))


def _error_details(error: BaseException) -> dict[str, object]:
    response = getattr(error, "response", None)  # None in a connection error
    return dict(response.get("Error", {})) if isinstance(response, dict) else {}
