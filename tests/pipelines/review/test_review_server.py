"""A review against an MLflow server in another process, with sqlite behind it and artifacts through it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.tracking.registry import champion_version
from components.shared.tracking.runs import Tracker

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path: Path, empty_store: Path) -> Iterator[str]:
    """The address of a server that has its own store and artifacts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path / "server"
    folder.mkdir()
    shutil.copyfile(empty_store, folder / "mlflow.db")
    places = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *places, "--port", str(port), "--workers", "1"],
        cwd=folder,
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _wait_for(address: str, process: subprocess.Popen) -> None:
    for _ in range(240):
        assert process.poll() is None
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()  # noqa: S310
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail("the server did not start")


def test_a_run_on_a_server_is_reviewed_and_rolled_back(world, call, server: str):
    """Evidence comes through the server, and the approved adapters' versions are its champions."""
    world.tracking = TrackingConfig(uri=server, audit_log=world.tracking.audit_log)
    world.context = RunContext(world.tracking, "toy", "run-1")
    for run in ("run-1", "run-2"):
        world.decide(run)
    answer = call("review", "run-1", "--show", "--tracking-uri", server)
    assert answer.code == 0
    assert "to review: 7 answers of run run-1" in answer.out
    for run in ("run-1", "run-2"):
        answer = call("review", run, "--approve", "--reason", "They are harmless.", "--tracking-uri", server)
        assert answer.code == 0
    tracker = Tracker(world.context)
    assert champion_version(tracker.client, "toy") == "2"
    assert tracker.parent().read_tags()["plimsoll.review"] == "approved"
    assert call("rollback", "toy", "--reason", "It helps.", "--tracking-uri", server).code == 0
    assert champion_version(tracker.client, "toy") == "1"
    again = call("review", "run-1", "--refuse", "--reason", "Late.", "--tracking-uri", server)
    assert again.code == 2
    assert "run run-1 was reviewed: approved by Ada" in again.err
