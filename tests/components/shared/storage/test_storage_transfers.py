"""Large objects on two real S3 servers, through a door that can be shut in the middle of a transfer."""

import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from components.shared import storage
from components.shared.digests import digest_file
from components.shared.errors import IntegrityError
from components.shared.storage import UnreachableError, downloads, partials, uploads
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
    """A door to each of the servers, with small parts and short pauses."""
    request.getfixturevalue({"moto": "bucket", "rclone": "rclone_bucket"}[request.param])
    host, port = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://").split(":")
    own = Door(host, int(port))
    environment.setenv("AWS_ENDPOINT_URL", own.url)
    environment.setenv("AWS_MAX_ATTEMPTS", "2")
    environment.setattr(uploads, "PART", 5 * MIB)
    environment.setattr(uploads, "_WORKERS", 1)
    environment.setattr(partials, "KEPT_FROM", MIB)
    environment.setattr(downloads, "_LONGEST_PAUSE_S", 0.01)
    environment.setattr(downloads, "_ATTEMPTS", 1)
    storage._client.cache_clear()
    yield own
    own.close()


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """An object of this test's own."""
    return f"s3://plimsoll/{request.node.name.replace('[', '-').rstrip(']')}"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of three and a half parts."""
    path = tmp_path_factory.mktemp("large") / "adapter.safetensors"
    path.write_bytes(os.urandom(17 * MIB + MIB // 2))
    return path


def test_a_large_file_comes_back(door: Door, address: str, large: Path, tmp_path: Path):
    """It is sent in parts, carries its digest, and is fetched whole; nothing else is left beside it."""
    storage.put(large, address)
    target = storage.fetch(address, tmp_path / "out" / "copy")
    assert digest_file(target) == digest_file(large)
    assert [path.name for path in target.parent.iterdir()] == ["copy"]
    bucket, key = storage.parse_s3(address)
    metadata = storage._client().head_object(Bucket=bucket, Key=key)["Metadata"]
    assert {name.lower(): value for name, value in metadata.items()} == {
        "sha256": digest_file(large).removeprefix("sha256:")
    }


def test_the_same_large_file_is_not_sent_twice(door: Door, address: str, large: Path):
    """What is there by size and digest is left alone."""
    storage.put(large, address)
    door.open()
    storage.put(large, address)
    assert door.passed["up"] < 10_000


def test_a_broken_download_goes_on(door: Door, address: str, large: Path, tmp_path: Path):
    """A connection that is cut in the middle costs what was on its way, not what had arrived."""
    storage.put(large, address)
    door.open()
    door.shuts_after = {"down": 12 * MIB}
    assert digest_file(storage.fetch(address, tmp_path / "copy")) == digest_file(large)
    assert door.passed["down"] < large.stat().st_size + 2 * MIB
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_a_download_that_failed_goes_on_in_the_next_call(door: Door, address: str, large: Path, tmp_path: Path):
    """The partial file outlives the failure, and only the rest is asked for."""
    storage.put(large, address)
    door.open()
    door.shuts_after, door.stays_shut = {"down": 12 * MIB}, True
    with pytest.raises(UnreachableError, match="goes on where it broke off"):
        storage.fetch(address, tmp_path / "copy")
    (partial,) = tmp_path.iterdir()
    had = partial.stat().st_size
    assert had > 9 * MIB
    door.open()
    assert digest_file(storage.fetch(address, tmp_path / "copy")) == digest_file(large)
    assert door.passed["down"] < large.stat().st_size - had + MIB
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_what_is_left_of_another_object_is_not_used(door: Door, address: str, large: Path, tmp_path: Path):
    """When the object was replaced in the meantime, it is fetched from its start."""
    storage.put(large, address)
    door.shuts_after, door.stays_shut = {"down": door.passed["down"] + 12 * MIB}, True
    with pytest.raises(UnreachableError):
        storage.fetch(address, tmp_path / "copy")
    door.open()
    other = tmp_path / "other"
    other.write_bytes(os.urandom(16 * MIB))
    storage.put(other, address)
    assert digest_file(storage.fetch(address, tmp_path / "copy")) == digest_file(other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "other"]


def test_a_spoilt_partial_file_is_not_used(door: Door, address: str, large: Path, tmp_path: Path):
    """Damage in what was left over is found by the digest, and costs one more download."""
    storage.put(large, address)
    door.shuts_after, door.stays_shut = {"down": door.passed["down"] + 12 * MIB}, True
    with pytest.raises(UnreachableError):
        storage.fetch(address, tmp_path / "copy")
    (partial,) = tmp_path.iterdir()
    with partial.open("r+b") as stream:
        stream.write(b"damage")
    door.open()
    assert digest_file(storage.fetch(address, tmp_path / "copy")) == digest_file(large)


def test_a_small_partial_file_is_not_kept(
    door: Door, address: str, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Below the limit nothing stays behind."""
    monkeypatch.setattr(partials, "KEPT_FROM", 16 * MIB)
    storage.put(large, address)
    door.shuts_after, door.stays_shut = {"down": door.passed["down"] + 12 * MIB}, True
    with pytest.raises(UnreachableError):
        storage.fetch(address, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_an_upload_that_failed_goes_on_in_the_next_call(door: Door, address: str, large: Path, tmp_path: Path):
    """Parts that arrived are not sent again; the store puts an entry's index last, so there is none before."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "adapter").hardlink_to(large)
    store = Store(address)
    door.shuts_after, door.stays_shut = {"up": 12 * MIB}, True
    with pytest.raises(UnreachableError):
        store.put("adapters", "sha256:1", tmp_path / "in")
    door.open()
    assert store.has("adapters", "sha256:1") is False
    store.put("adapters", "sha256:1", tmp_path / "in")
    assert door.passed["up"] < large.stat().st_size - 10 * MIB + MIB
    assert store.fetch("adapters", "sha256:1", tmp_path / "out") is True
    assert digest_file(tmp_path / "out" / "adapter") == digest_file(large)


def test_an_unfinished_upload_of_other_content_is_not_mixed_in(door: Door, address: str, large: Path, tmp_path: Path):
    """Neither parts that differ nor the digest of a file with the same start reach the object."""
    door.shuts_after, door.stays_shut = {"up": 12 * MIB}, True
    with pytest.raises(UnreachableError):
        storage.put(large, address)
    door.open()
    same_start, another = tmp_path / "same-start", tmp_path / "another"
    same_start.write_bytes(large.read_bytes()[: 16 * MIB] + b"another end")
    another.write_bytes(os.urandom(16 * MIB))
    for source in (another, same_start):
        storage.put(source, address)
        assert digest_file(storage.fetch(address, tmp_path / "copy")) == digest_file(source)


def test_content_that_is_not_what_its_writer_wrote_is_refused(door: Door, address: str, tmp_path: Path):
    """A digest in the object's metadata, or the caller's own, is held against the bytes."""
    bucket, key = storage.parse_s3(address)
    storage._client().put_object(Bucket=bucket, Key=key, Body=b"spoilt", Metadata={"sha256": "0" * 64})
    with pytest.raises(IntegrityError, match=r"has digest sha256:.*, expected sha256:000"):
        storage.read_bytes(address)
    storage._client().put_object(Bucket=bucket, Key=key, Body=b"plain")
    assert storage.read_bytes(address) == b"plain"
    with pytest.raises(IntegrityError, match="expected sha256:1"):
        storage.fetch(address, tmp_path / "copy", "sha256:1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("door", ["rclone"], indirect=True)
def test_memory_does_not_grow_with_the_object(door: Door, address: str, tmp_path: Path):
    """Sending holds a few parts and fetching a few blocks of an object of 40 MiB."""
    source = tmp_path / "source"
    with source.open("wb") as stream:
        for _ in range(40):
            stream.write(os.urandom(MIB))
    peaks = []
    for transfer in (lambda: storage.put(source, address), lambda: storage.fetch(address, tmp_path / "copy")):
        tracemalloc.start()
        transfer()
        peaks.append(tracemalloc.get_traced_memory()[1] / MIB)
        tracemalloc.stop()
    assert peaks[0] < 20
    assert peaks[1] < 10
