"""Nobody looks at a silent terminal while an MLflow store does not answer."""

import os
import socket
import sqlite3
import subprocess
import sys
import time

import pytest

from components.shared.config.sections import TrackingConfig
from components.shared.errors import ConfigError, PlimsollError, TrackingError
from components.shared.tracking.retry import reach_database
from components.shared.tracking.runs import open_client
from components.shared.tracking.store_check import check_store
from components.shared.tracking.waiting import FIRST_S, requests_end_after, told_while_waiting

LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_long_call_is_told_with_store_and_limit(capsys):
    """The line names the store, how long it has been silent, and how long it is waited for."""
    with told_while_waiting("http://tracking:5000", 600, first_s=0.05):
        time.sleep(0.4)
    time.sleep(0.1)
    assert capsys.readouterr().err == (
        "[mlflow] waiting for http://tracking:5000: no answer for 0 s; calls that fail are repeated for 10 min 0 s\n"
    )
    assert FIRST_S <= 10


def test_a_short_call_is_not_told(capsys):
    """Most calls take milliseconds."""
    with told_while_waiting("http://tracking:5000", 600):
        time.sleep(0.01)
    assert capsys.readouterr().err == ""


def test_a_server_that_takes_requests_and_is_silent_is_given_up_soon(capsys):
    """As a stopped process behind an open port: the check before a run ends after its time, with one error."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(
            TrackingError, match=r"did not answer for 1 s, .*; start the server, or correct tracking.uri"
        ):
            check_store(TrackingConfig(uri=uri), deadline_s=1)
        assert time.monotonic() - start < 8
    assert capsys.readouterr().err.startswith(f"[mlflow] {uri} does not answer; trying again until ")


@pytest.mark.parametrize(("before", "inside"), [(None, "3"), ("60", "3"), ("2", "2"), ("soon", "3")])
def test_requests_are_shortened_for_a_while(monkeypatch, before, inside):
    """A shorter time of the environment stays, and what was set before is set again."""
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT", raising=False)
    if before is not None:
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", before)
    with requests_end_after(3.0):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == inside
    assert os.environ.get("MLFLOW_HTTP_REQUEST_TIMEOUT") == before


def test_a_locked_file_is_told_at_once_with_who_holds_it(tmp_path, capsys):
    """The error says which process it is and what to do, not that a server is to be started."""
    path = tmp_path / "mlflow.db"
    sqlite3.connect(path).close()
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        other.stdout.readline()
        with pytest.raises(TrackingError) as caught:
            open_client(TrackingConfig(uri=f"sqlite:///{path}"), deadline_s=0.5)
        other.stdin.close()
    holder = f"process {other.pid} ({sys.executable} -c"
    assert f"{path}' was locked for 0 s, expected it to be free within that time: it is open in {holder}" in str(
        caught.value
    )
    assert str(caught.value).endswith("; wait until that has finished, or end it, and run again")
    assert f"{path} is locked; trying again until " in (line := capsys.readouterr().err)
    assert holder in line


def test_a_database_that_refuses_connections_is_known_at_once():
    """mlflow's own tries would take minutes, without a word; a missing driver is named."""
    start = time.monotonic()
    with pytest.raises(PlimsollError, match=r"did not answer for 0 s|needs the driver"):
        open_client(TrackingConfig(uri="postgresql+psycopg2://u@127.0.0.1:9/mlflow"), deadline_s=0)
    assert time.monotonic() - start < 5
    with pytest.raises(ConfigError, match=r"'postgresql\+pg8000://u:\*\*\*@h/d' needs the driver 'pg8000'"):
        reach_database("postgresql+pg8000://u:p@h/d")
