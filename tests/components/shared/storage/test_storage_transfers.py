"""Large objects on two real S3 servers, through a door that can be shut in the middle of a transfer."""

import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from components.shared import storage
from components.shared.digests import digest_file
from components.shared.errors import IntegrityError, StorageError
from components.shared.progress import stage_of
from components.shared.storage import (
    AccessDeniedError,
    BucketMissingError,
    ObjectMissingError,
    UnreachableError,
    transfers,
)
from components.shared.store import Store

MIB = 1 << 20


class Door:
    """Passes bytes on to a server, counts them, and shuts after so many in one direction."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.passed = {"up": 0, "down": 0}
        self.shuts_after: dict[str, int] = {}
        """Bytes in one direction after which connections are cut, once."""
        self.stays_shut = False
        self._shut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def open(self) -> None:
        """Lets everything pass again, and counts from zero."""
        self.shuts_after, self.stays_shut, self._shut = {}, False, False
        self.passed = {"up": 0, "down": 0}

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            if self._shut:
                near.close()
                continue
            far = socket.create_connection(self._server)
            for way, source, target in (("up", near, far), ("down", far, near)):
                threading.Thread(target=self._pass, args=(way, source, target), daemon=True).start()

    def _pass(self, way: str, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(1 << 16):
                if self._shut:
                    break
                if self.passed[way] + len(block) > self.shuts_after.get(way, 1 << 60):
                    self.shuts_after.pop(way)
                    self._shut = self.stays_shut
                    break
                self.passed[way] += len(block)
                target.sendall(block)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture(params=["moto", "rclone"])
def door(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch) -> Iterator[Door]:
    """A door to each of the servers, with small parts."""
    request.getfixturevalue({"moto": "bucket", "rclone": "rclone_bucket"}[request.param])
    host, port = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://").split(":")
    door = Door(host, int(port))
    environment.setenv("AWS_ENDPOINT_URL", door.url)
    environment.setenv("AWS_MAX_ATTEMPTS", "2")
    environment.setattr(transfers, "PART", 5 * MIB)
    environment.setattr(transfers, "_WORKERS", 2)
    storage._client.cache_clear()
    yield door
    door.close()


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """An object that only this test uses."""
    return f"s3://plimsoll/{request.node.name.replace('[', '-').rstrip(']')}"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of three and a half parts."""
    path = tmp_path_factory.mktemp("large") / "adapter.safetensors"
    path.write_bytes(os.urandom(17 * MIB + MIB // 2))
    return path


def uploads_of(address: str) -> list:
    """Unfinished uploads in the bucket; rclone's server cannot list them, and keeps them apart from the objects."""
    with suppress(ClientError):
        return storage._client().list_multipart_uploads(Bucket="plimsoll").get("Uploads", [])
    return []


def test_a_large_file_comes_back(door: Door, address: str, large: Path, tmp_path: Path):
    """It is sent in parts, carries its digest, and is fetched whole; nothing else is left beside it."""
    parts: list = []
    storage._client().meta.events.register("before-call.s3.UploadPart", lambda **call: parts.append(call))
    storage.put(large, address)
    assert len(parts) == 4
    target = storage.fetch(address, tmp_path / "out" / "copy")
    assert digest_file(target) == digest_file(large)
    assert [path.name for path in target.parent.iterdir()] == ["copy"]
    bucket, key = storage.parse_s3(address)
    metadata = storage._client().head_object(Bucket=bucket, Key=key)["Metadata"]
    assert {name.lower(): value for name, value in metadata.items()} == {
        "sha256": digest_file(large).removeprefix("sha256:")
    }


@pytest.mark.parametrize("size", [0, 1, 5 * MIB, 5 * MIB + 1])
def test_every_size_comes_back(door: Door, address: str, tmp_path: Path, size: int):
    """Empty, small, exactly a part, and one byte more."""
    (tmp_path / "source").write_bytes(os.urandom(size))
    storage.put(tmp_path / "source", address)
    assert storage.fetch(address, tmp_path / "copy").read_bytes() == (tmp_path / "source").read_bytes()
    assert storage.read_bytes(address) == (tmp_path / "source").read_bytes()


def test_the_same_large_file_is_not_sent_twice(door: Door, address: str, large: Path):
    """What is there by size and digest is left alone."""
    storage.put(large, address)
    door.open()
    storage.put(large, address)
    assert door.passed["up"] < 10_000


def test_a_broken_connection_is_made_again(door: Door, address: str, large: Path, tmp_path: Path):
    """A connection that is cut once, in either direction, costs the parts that were on their way."""
    door.shuts_after = {"up": 12 * MIB}
    storage.put(large, address)
    assert door.passed["up"] < large.stat().st_size + 11 * MIB
    door.open()
    door.shuts_after = {"down": 12 * MIB}
    assert digest_file(storage.fetch(address, tmp_path / "copy")) == digest_file(large)
    assert door.passed["down"] < large.stat().st_size + 11 * MIB
    door.open()
    door.shuts_after = {"down": 12 * MIB}
    assert storage.read_bytes(address) == large.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_a_failed_download_leaves_nothing(door: Door, address: str, large: Path, tmp_path: Path):
    """The error names the address and the cure; the target is as it was, and the next call fetches the object."""
    storage.put(large, address)
    (tmp_path / "copy").write_text("before")
    for fetch in (lambda: storage.fetch(address, tmp_path / "copy"), lambda: storage.read_bytes(address)):
        door.open()
        door.shuts_after, door.stays_shut = {"down": 12 * MIB}, True
        with pytest.raises(UnreachableError, match=f"^{address}: no connection: .* run again"):
            fetch()
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"copy": "before"}
    door.open()
    assert digest_file(storage.fetch(address, tmp_path / "copy")) == digest_file(large)


def test_a_failed_upload_leaves_no_object(door: Door, address: str, large: Path, tmp_path: Path):
    """Nor an entry in the store; the next call sends the file, and then nothing unfinished is left in the bucket."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "adapter").hardlink_to(large)
    store = Store(address)
    door.shuts_after, door.stays_shut = {"up": 12 * MIB}, True
    with pytest.raises(UnreachableError, match=f"^{address}/adapters/1/adapter: no connection"):
        store.put("adapters", "sha256:1", tmp_path / "in")
    door.open()
    assert store.has("adapters", "sha256:1") is False
    assert storage.list_addresses(address) == []
    store.put("adapters", "sha256:1", tmp_path / "in")
    assert store.fetch("adapters", "sha256:1", tmp_path / "out") is True
    assert digest_file(tmp_path / "out" / "adapter") == digest_file(large)


def test_a_refused_part_ends_the_upload(door: Door, address: str, large: Path):
    """The wrapped error is named as every other, and the parts that had arrived are removed from the store."""

    def refuse(params: dict, **rest: object) -> None:
        if params["PartNumber"] == 2:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "UploadPart")

    before = len(uploads_of(address))
    client = storage._client()
    client.meta.events.register("provide-client-params.s3.UploadPart", refuse)
    with pytest.raises(AccessDeniedError, match=rf"^{address}: access denied: .*\[AccessDenied\]$"):
        storage.put(large, address)
    assert storage.exists(address) is False
    assert len(uploads_of(address)) == before


def test_a_missing_object_or_bucket_is_named(door: Door, address: str, large: Path, tmp_path: Path):
    """By a transfer in parts as well, and nothing is left."""
    with pytest.raises(ObjectMissingError, match=rf"^{address}: there is no such object: check the key"):
        storage.fetch(address, tmp_path / "copy")
    for transfer in (
        lambda: storage.put(large, "s3://nowhere/k"),
        lambda: storage.fetch("s3://nowhere/k", tmp_path / "copy"),
    ):
        with pytest.raises(BucketMissingError, match=r"^s3://nowhere/k: there is no such bucket"):
            transfer()
    assert list(tmp_path.iterdir()) == []


def test_an_object_that_changes_while_it_is_read_is_not_mixed(
    door: Door, address: str, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Parts of two objects are never put together: the transfer fails, or its digest is found to be wrong."""
    storage.put(large, address)
    other = tmp_path / "other"
    other.write_bytes(os.urandom(large.stat().st_size))
    monkeypatch.setattr(transfers, "_WORKERS", 1)
    client, calls = storage._client(), []

    def replace(**rest: object) -> None:
        calls.append(rest)
        if len(calls) == 3:
            storage.put(other, address)

    client.meta.events.register("before-call.s3.GetObject", replace)
    with pytest.raises((IntegrityError, StorageError), match=f"^{address}: (the object changed while|has digest)"):
        storage.fetch(address, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_long_transfer_says_how_far_it_is(
    door: Door, address: str, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    """In whole lines that the launcher recognises; a short one says nothing."""
    storage.put(large, address)
    storage.fetch(address, tmp_path / "copy")
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(transfers, "_EVERY_S", 0.0)
    storage.fetch(address, tmp_path / "copy")
    storage.delete(address)
    storage.put(large, address)
    lines = capsys.readouterr().out.splitlines()
    assert all(stage_of(line) is not None for line in lines)
    assert any(line.endswith("of 18 MB fetched") for line in lines)
    assert lines[-1] == "[storage] adapter.safetensors: 18 of 18 MB sent"


def test_content_that_is_not_what_its_writer_wrote_is_refused(door: Door, address: str, tmp_path: Path):
    """The bytes are compared with the digest in the object's metadata, or with the caller's."""
    bucket, key = storage.parse_s3(address)
    storage._client().put_object(Bucket=bucket, Key=key, Body=b"spoilt", Metadata={"sha256": "0" * 64})
    with pytest.raises(IntegrityError, match=r"has digest sha256:.*, expected sha256:000"):
        storage.read_bytes(address)
    storage._client().put_object(Bucket=bucket, Key=key, Body=b"plain")
    assert storage.read_bytes(address) == b"plain"
    with pytest.raises(IntegrityError, match="expected sha256:1"):
        storage.fetch(address, tmp_path / "copy", "sha256:1")
    assert list(tmp_path.iterdir()) == []


def test_checksums_can_be_left_to_our_own(door: Door, address: str, large: Path, monkeypatch: pytest.MonkeyPatch):
    """boto3's own setting, for stores that take no checksum behind the content; the digest is recorded all the same."""
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    storage._client.cache_clear()
    sent: list[str] = []
    client = storage._client()
    for name in ("PutObject", "CreateMultipartUpload", "UploadPart"):
        client.meta.events.register(f"before-call.s3.{name}", lambda params, **rest: sent.extend(params["headers"]))
    storage.put(large, address)
    storage.put_text("small", f"{address}-2")
    assert [name for name in sent if "checksum" in name.lower()] == []
    bucket, key = storage.parse_s3(address)
    metadata = client.head_object(Bucket=bucket, Key=key)["Metadata"]
    assert list(metadata.values()) == [digest_file(large).removeprefix("sha256:")]


@pytest.mark.parametrize("door", ["rclone"], indirect=True)
def test_memory_does_not_grow_with_the_object(door: Door, address: str, tmp_path: Path):
    """Sending and fetching hold a few parts of an object of 80 MiB."""
    source = tmp_path / "source"
    with source.open("wb") as stream:
        for _ in range(80):
            stream.write(os.urandom(MIB))
    for transfer in (lambda: storage.put(source, address), lambda: storage.fetch(address, tmp_path / "copy")):
        tracemalloc.start()
        transfer()
        peak = tracemalloc.get_traced_memory()[1] / MIB
        tracemalloc.stop()
        assert peak < 40
