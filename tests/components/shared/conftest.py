"""A real S3 endpoint (moto's server) for everything that reads and writes by address."""

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
def locked_bucket(bucket: str) -> str:
    """A bucket with object lock."""
    storage._client().create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    return "s3://locked"
