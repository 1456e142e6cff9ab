"""Bytes by address, on disk and on a real S3 endpoint (moto's server)."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from components.shared import storage
from components.shared.errors import IntegrityError, StorageError
from components.shared.storage import BucketMissingError, UnreachableError
from components.shared.store import Store


@pytest.mark.parametrize("address", ["s3://", "s3://bucket", "s3://bucket/", "s3:///key"])
def test_an_s3_address_needs_bucket_and_key(address: str):
    """Half an address is an error that shows the whole form."""
    with pytest.raises(StorageError, match="expected s3://BUCKET/KEY"):
        storage.parse_s3(address)


def test_a_key_may_hold_slashes():
    """Everything after the first slash is the key."""
    assert storage.parse_s3("s3://b/k/l.txt") == ("b", "k/l.txt")


def test_addresses_are_joined_with_one_slash():
    """A trailing slash makes no double slash."""
    assert storage.join("s3://b/k/", "l", "m") == storage.join("s3://b/k", "l", "m") == "s3://b/k/l/m"


def test_local_bytes_come_back(tmp_path: Path):
    """What is put is read, and missing directories are made."""
    address = str(tmp_path / "new" / "file")
    storage.put_text("héllo", address)
    assert storage.read_bytes(address) == "héllo".encode()
    assert storage.exists(address) is True
    assert storage.exists(f"{address}2") is False


def test_local_errors_say_what_is_wrong(tmp_path: Path):
    """A missing file, a directory, and a file in place of a directory are StorageErrors."""
    with pytest.raises(StorageError, match="no such file"):
        storage.read_bytes(str(tmp_path / "no"))
    with pytest.raises(StorageError, match="is a directory, expected a file"):
        storage.read_bytes(str(tmp_path))
    with pytest.raises(StorageError, match="No such file"):
        storage.fetch(str(tmp_path / "no"), tmp_path / "target")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="its directory cannot be made"):
        storage.put_text("x", str(tmp_path / "file" / "below"))
    with pytest.raises(StorageError, match="Not a directory"):
        storage.read_bytes(str(tmp_path / "file" / "below"))


def test_a_failed_fetch_leaves_nothing(tmp_path: Path):
    """The target keeps its content, and no partial file stays."""
    (tmp_path / "target").write_text("before")
    with pytest.raises(StorageError):
        storage.fetch(str(tmp_path / "no"), tmp_path / "target")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"target": "before"}


def test_a_file_that_is_not_the_expected_one_is_refused(tmp_path: Path):
    """With a digest, a copy of other content does not reach its target."""
    (tmp_path / "source").write_text("one")
    (tmp_path / "target").write_text("before")
    with pytest.raises(IntegrityError, match=r"source: has digest sha256:.*, expected sha256:0"):
        storage.fetch(str(tmp_path / "source"), tmp_path / "target", "sha256:0")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"source": "one", "target": "before"}


def test_objects_come_back(bucket: str, tmp_path: Path):
    """What is put to S3 is read from S3."""
    storage.put_text("hello", f"{bucket}/a/b")
    assert storage.read_bytes(f"{bucket}/a/b") == b"hello"
    assert storage.exists(f"{bucket}/a/b") is True
    assert storage.exists(f"{bucket}/a/c") is False
    assert storage.fetch(f"{bucket}/a/b", tmp_path / "x").read_text() == "hello"


def test_a_missing_object_or_bucket_is_named(bucket: str, tmp_path: Path):
    """The error carries the address, the cure and S3's code."""
    with pytest.raises(StorageError, match=r"s3://plimsoll/no: there is no such object: check the key \[NoSuchKey\]"):
        storage.read_bytes(f"{bucket}/no")
    (tmp_path / "x").write_text("x")
    with pytest.raises(StorageError, match=r"s3://nowhere/k: .*NoSuchBucket"):
        storage.put(tmp_path / "x", "s3://nowhere/k")


def test_missing_credentials_are_named(environment: pytest.MonkeyPatch, s3_endpoint: str, tmp_path: Path):
    """Without credentials every operation says which variables to set, and none says that the object is missing."""
    environment.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    (tmp_path / "x").write_text("x")
    for attempt in (
        lambda: storage.exists("s3://plimsoll/k"),
        lambda: storage.read_bytes("s3://plimsoll/k"),
        lambda: storage.put(tmp_path / "x", "s3://plimsoll/k"),
    ):
        with pytest.raises(StorageError, match="no credentials: set AWS_ACCESS_KEY_ID"):
            attempt()


def test_no_connection_is_named(environment: pytest.MonkeyPatch):
    """A port where nobody listens is an UnreachableError that names the endpoint variable."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    environment.setenv("AWS_MAX_ATTEMPTS", "1")
    environment.setenv("AWS_ACCESS_KEY_ID", "a")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "b")
    for attempt in (storage.exists, storage.read_bytes, storage.list_addresses):
        with pytest.raises(UnreachableError, match="no connection: check AWS_ENDPOINT_URL"):
            attempt("s3://plimsoll/k")


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1:x"])
def test_an_endpoint_that_is_no_address_is_an_error_without_traceback(environment: pytest.MonkeyPatch, url: str):
    """A mistyped AWS_ENDPOINT_URL is a StorageError that shows it."""
    environment.setenv("AWS_ENDPOINT_URL", url)
    environment.setenv("AWS_ACCESS_KEY_ID", "a")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "b")
    environment.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StorageError, match=url):
        storage.exists("s3://plimsoll/k")


def test_a_missing_bucket_is_no_missing_object(bucket: str):
    """Asking whether an object exists says that the bucket does not."""
    with pytest.raises(BucketMissingError, match="create it"):
        storage.exists("s3://nowhere/k")


def test_the_store_works_on_s3(bucket: str, tmp_path: Path):
    """The content-addressed store does not care where it is."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("one")
    store = Store(f"{bucket}/store")
    assert store.fetch("adapters", "sha256:1", tmp_path / "out") is False
    store.put("adapters", "sha256:1", tmp_path / "in")
    assert store.fetch("adapters", "sha256:1", tmp_path / "out") is True
    assert (tmp_path / "out" / "a").read_text() == "one"


def test_a_new_object_is_written_once(bucket: str):
    """The first writer of a key wins, the second is told, and the object keeps its content."""
    address = f"{bucket}/new/once"
    assert storage.put_new("first", address) is True
    assert storage.put_new("second", address) is False
    assert storage.read_bytes(address) == b"first"


def test_objects_are_listed_in_order_and_by_folder(bucket: str, environment: pytest.MonkeyPatch):
    """Only what is below the address, sorted by key, also where it takes several pages."""
    for name in ("b", "a", "c"):
        storage.put_text("x", f"{bucket}/list/{name}")
    storage.put_text("x", f"{bucket}/list-of-another/d")
    expected = [f"{bucket}/list/{name}" for name in "abc"]
    assert storage.list_addresses(f"{bucket}/list") == storage.list_addresses(f"{bucket}/list/") == expected
    client = storage._client()
    paginator = client.get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket="plimsoll", Prefix="list/", PaginationConfig={"PageSize": 2}))
    assert len(pages) == 2
    environment.setattr(client, "get_paginator", lambda name: _Paged(paginator))
    assert storage.list_addresses(f"{bucket}/list") == expected
    assert storage.list_addresses(f"{bucket}/nothing") == []


class _Paged:
    """Two objects a page, where S3 has a thousand."""

    def __init__(self, paginator) -> None:
        self._paginator = paginator

    def paginate(self, **arguments: str):
        return self._paginator.paginate(**arguments, PaginationConfig={"PageSize": 2})


def test_a_bucket_says_whether_it_locks_objects(bucket: str, locked_bucket: str):
    """Only a bucket that was made with object lock has it."""
    assert storage.has_object_lock(f"{bucket}/log") is False
    assert storage.has_object_lock(f"{locked_bucket}/log") is True


def test_a_locked_object_cannot_be_deleted_before_its_time(locked_bucket: str):
    """An object written with a date is kept until then, in governance mode."""
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    assert storage.put_new("x", f"{locked_bucket}/kept", until) is True
    client = storage._client()
    kept = client.head_object(Bucket="locked", Key="kept")
    assert (kept["ObjectLockMode"], kept["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", until)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket="locked", Key="kept", VersionId=kept["VersionId"])


@pytest.mark.parametrize(
    "attempt",
    [storage.list_addresses, storage.has_object_lock, lambda address: storage.put_new("x", address)],
    ids=["list", "lock", "put"],
)
def test_a_bucket_that_does_not_exist_is_named(bucket: str, attempt):
    """Listing, asking for object lock and writing say that there is no such bucket."""
    with pytest.raises(StorageError, match=r"s3://nowhere/k: there is no such bucket: create it, .* \[NoSuchBucket\]"):
        attempt("s3://nowhere/k")


def test_an_atomic_write_replaces_its_target_or_leaves_it(tmp_path: Path):
    """A directory is made, and after an error nothing is left of what was written."""
    target = tmp_path / "new" / "target"
    with storage.atomic_write(target) as partial:
        partial.write_text("whole")
        assert not target.exists()
    with pytest.raises(UnicodeEncodeError), storage.atomic_write(target) as partial:
        partial.write_text("half\ud800", encoding="utf-8")
    assert {path.name: path.read_text() for path in target.parent.iterdir()} == {"target": "whole"}
