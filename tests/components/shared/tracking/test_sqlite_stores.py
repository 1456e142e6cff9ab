"""A sqlite store is made once and whole, by whichever process opens it first; one that is half made is named."""

import sqlite3
import subprocess
import sys

import pytest

from components.shared.config.sections import TrackingConfig
from components.shared.errors import TrackingError
from components.shared.tracking import sqlite_stores
from components.shared.tracking.runs import open_client
from components.shared.tracking.sqlite_stores import holders, make_whole

OPENS = """
import os, sys, time
from pathlib import Path
from components.shared.config.sections import TrackingConfig
from components.shared.tracking.runs import Tracker
from components.shared.config.run_context import RunContext
import mlflow
print("ready", flush=True)
sys.stdin.readline()
tracker = Tracker(RunContext(TrackingConfig(uri=sys.argv[1], experiment="e"), "toy", "run-1"), deadline_s=60)
with tracker.stage("s" + sys.argv[2]) as stage:
    stage.metrics({"x": 1.0})
"""


def test_processes_that_open_a_fresh_store_at_once_all_succeed(tmp_path):
    """Four real processes: each records its stage, and no lock or partial file is left."""
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENS, uri, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
    assert [error for error, code in ends if code != 0] == []
    client = open_client(TrackingConfig(uri=uri))
    runs = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    assert sorted(run.data.tags["plimsoll.stage"] for run in runs if run.data.metrics) == ["s0", "s1", "s2", "s3"]
    left = [path.name for path in (tmp_path / "new").iterdir() if path.suffix in (".lock", ".partial")]
    assert left == []


def test_a_store_that_is_being_made_is_waited_for(tmp_path):
    """Who comes second finds the store that the first one made, and makes none."""
    made = []
    database = tmp_path / "mlflow.db"

    def make(address):
        with sqlite3.connect(address.removeprefix("sqlite:///")) as connection:
            connection.execute("CREATE TABLE runs (x)")
        made.append(address)

    make_whole(database, make)
    make_whole(database, make)
    assert len(made) == 1
    assert database.is_file()
    assert ".partial" in made[0]


def test_a_store_whose_making_fails_leaves_nothing(tmp_path):
    """Neither a half store nor a part of one; the next try makes it."""

    def fail(address):
        with sqlite3.connect(address.removeprefix("sqlite:///")) as connection:
            connection.execute("CREATE TABLE runs (x)")
        raise TrackingError("no")

    with pytest.raises(TrackingError, match="no"):
        make_whole(tmp_path / "mlflow.db", fail)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


@pytest.mark.parametrize(
    ("runs", "cure"),
    [
        (0, r"it holds no run: remove the file \(rm '.*half.db'\) and run again"),
        (
            3,
            r"it holds 3 runs: end what uses it, .* sqlite3 .* 'DROP TABLE \"_alembic_tmp_m\";' and ",
        ),
    ],
)
def test_a_half_made_store_is_named_with_its_cure(tmp_path, runs, cure):
    """As other tools leave it that opened it at once: mlflow itself would say that a table exists already."""
    with sqlite3.connect(tmp_path / "half.db") as connection:
        connection.execute("CREATE TABLE runs (x)")
        connection.execute("CREATE TABLE _alembic_tmp_m (x)")
        connection.executemany("INSERT INTO runs VALUES (?)", [(number,) for number in range(runs)])
    with pytest.raises(TrackingError, match=rf"half.db': making or upgrading .* was broken off.*; {cure}"):
        open_client(TrackingConfig(uri=f"sqlite:///{tmp_path}/half.db"), deadline_s=0)


def test_the_process_that_holds_a_file_is_named(tmp_path):
    """By its number and command; this process is not."""
    path = tmp_path / "a file.db"
    path.write_text("x")
    assert holders(path) == ""
    holding = "import sys; f = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        other.stdout.readline()
        with path.open():
            named = holders(path)
        other.stdin.close()
    assert named.startswith(f"process {other.pid} ({sys.executable} -c import sys")
    assert len(named) < 2 * sqlite_stores._SHOWN_COMMAND
