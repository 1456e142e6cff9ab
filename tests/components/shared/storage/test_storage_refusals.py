"""What a store refuses, on a real server that checks signatures (rclone's), and what each code is called."""

from datetime import timedelta
from pathlib import Path

import botocore.auth
import pytest
from boto3.exceptions import RetriesExceededError
from botocore.exceptions import ClientError, FlexibleChecksumError, IncompleteReadError, ReadTimeoutError
from s3transfer.exceptions import S3DownloadFailedError, S3ValidationError

from components.shared import storage
from components.shared.errors import StorageError
from components.shared.storage import (
    AccessDeniedError,
    BucketMissingError,
    ClockSkewError,
    CredentialsError,
    ObjectMissingError,
    UnreachableError,
)
from components.shared.storage.problems import storage_error, translated
from components.shared.store import Store

ADDRESS = "s3://plimsoll/k"


def operations(tmp_path: Path) -> list:
    (tmp_path / "source").write_text("x")
    return [
        lambda: storage.exists(ADDRESS),
        lambda: storage.read_bytes(ADDRESS),
        lambda: storage.fetch(ADDRESS, tmp_path / "target"),
        lambda: storage.put(tmp_path / "source", ADDRESS),
        lambda: storage.put_new("x", ADDRESS),
        lambda: storage.delete(ADDRESS),
        lambda: storage.list_addresses(ADDRESS),
    ]


@pytest.mark.parametrize(("variable", "code"), [("ID", "InvalidAccessKeyId"), ("SECRET", "SignatureDoesNotMatch")])
def test_wrong_credentials_are_refused(
    rclone_bucket: str, environment: pytest.MonkeyPatch, tmp_path: Path, variable: str, code: str
):
    """Every operation, HEAD too, says which variables to check and which of the two is wrong; nothing is written."""
    storage.put_text("before", ADDRESS)
    name = {"ID": "AWS_ACCESS_KEY_ID", "SECRET": "AWS_SECRET_ACCESS_KEY"}[variable]
    right = {"ID": "tests", "SECRET": "secret"}[variable]
    environment.setenv(name, "wrong")
    storage._client.cache_clear()
    for attempt in operations(tmp_path):
        with pytest.raises(CredentialsError, match=rf"k: the store does not accept the credentials: .*\[{code}\]"):
            attempt()
    assert not (tmp_path / "target").exists()
    environment.setenv(name, right)
    storage._client.cache_clear()
    assert storage.read_bytes(ADDRESS) == b"before"


def test_a_wrong_clock_is_named(rclone_bucket: str, environment: pytest.MonkeyPatch, tmp_path: Path):
    """A clock that is an hour late is a ClockSkewError that says so, whatever the server calls it."""
    storage.put_text("before", ADDRESS)
    now = botocore.auth.get_current_datetime
    environment.setattr(
        botocore.auth, "get_current_datetime", lambda *args, **kwargs: now(*args, **kwargs) - timedelta(hours=1)
    )
    for attempt in operations(tmp_path):
        with pytest.raises(ClockSkewError, match="the clock of this machine differs from the store's"):
            attempt()


def test_what_is_missing_is_named(rclone_bucket: str, tmp_path: Path):
    """Bucket and object are told apart, by every operation that can."""
    with pytest.raises(ObjectMissingError, match="check the key"):
        storage.read_bytes(f"{rclone_bucket}/no")
    assert storage.exists(f"{rclone_bucket}/no") is False
    (tmp_path / "source").write_text("x")
    for attempt in (
        storage.exists,
        storage.read_bytes,
        storage.list_addresses,
        lambda address: storage.put(tmp_path / "source", address),
    ):
        with pytest.raises(BucketMissingError, match="s3://nowhere/k: there is no such bucket"):
            attempt("s3://nowhere/k")


def test_the_store_works_on_a_second_server(rclone_bucket: str, tmp_path: Path):
    """The content-addressed store keeps and finds an entry, and deleting is repeatable."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("one")
    store = Store(f"{rclone_bucket}/store")
    assert store.fetch("adapters", "sha256:1", tmp_path / "out") is False
    store.put("adapters", "sha256:1", tmp_path / "in")
    store.put("adapters", "sha256:1", tmp_path / "in")
    assert store.fetch("adapters", "sha256:1", tmp_path / "out") is True
    assert (tmp_path / "out" / "a").read_text() == "one"
    address = f"{rclone_bucket}/store/adapters/1/a"
    assert storage.list_addresses(f"{rclone_bucket}/store") == [address, f"{rclone_bucket}/store/adapters/1/entry.json"]
    storage.delete(address)
    storage.delete(address)
    assert storage.exists(address) is False


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("NoSuchBucket", BucketMissingError),
        ("NoSuchKey", ObjectMissingError),
        ("AccessDenied", AccessDeniedError),
        ("403", AccessDeniedError),
        ("ExpiredToken", CredentialsError),
        ("RequestTimeTooSkewed", ClockSkewError),
        ("SlowDown", UnreachableError),
        ("503", UnreachableError),
        ("PermanentRedirect", StorageError),
        ("EntityTooLarge", StorageError),
    ],
)
def test_each_code_has_its_class(code: str, kind: type[StorageError]):
    """A code of S3 becomes an error of its kind, with address and code; an unknown one keeps S3's words."""
    error = storage_error(ADDRESS, ClientError({"Error": {"Code": code, "Message": "its words"}}, "PutObject"))
    assert type(error) is kind
    assert str(error).startswith(f"{ADDRESS}: ")
    assert str(error).endswith(f"[{code}]")
    assert ("its words" in str(error)) == (code == "EntityTooLarge")


def test_a_store_without_trailers_is_named():
    """The cure is boto3's own setting."""
    error = storage_error(ADDRESS, ClientError({"Error": {"Code": "MissingContentLength"}}, "PutObject"))
    assert "set AWS_REQUEST_CHECKSUM_CALCULATION=when_required" in str(error)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            RetriesExceededError(IncompleteReadError(actual_bytes=1, expected_bytes=2)),
            UnreachableError,
            "no connection",
        ),
        (RetriesExceededError(ConnectionResetError("reset")), UnreachableError, "no connection"),
        (RetriesExceededError(TimeoutError("slow")), UnreachableError, "no connection"),
        (S3DownloadFailedError("its words"), StorageError, "changed while it was read: run again"),
        (S3ValidationError("its words"), StorageError, "sent another part .* run again"),
        (FlexibleChecksumError(error_msg="its words"), StorageError, "damaged on its way: run again"),
    ],
)
def test_what_a_managed_transfer_raises_is_named(error: Exception, kind: type[StorageError], text: str):
    """No error of boto3, botocore or s3transfer escapes, and what they wrap is unwrapped."""
    with pytest.raises(kind, match=f"^{ADDRESS}: .*{text}"), translated(ADDRESS):
        raise error


def test_a_store_that_does_not_answer_is_unreachable():
    """A timeout is an UnreachableError, named by boto's class."""
    error = storage_error(ADDRESS, ReadTimeoutError(endpoint_url="http://store"))
    assert isinstance(error, UnreachableError)
    assert "[ReadTimeoutError]" in str(error)
