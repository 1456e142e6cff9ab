"""A full disk is named at every door where something is written: which disk, how much is free, and the cure."""

import errno
import os
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from components.shared import storage
from components.shared.audit import record
from components.shared.data import row_store
from components.shared.data.row_store import RowStore
from components.shared.errors import DataError, ModelError, StorageError, TrackingError
from components.shared.storage import FullDiskError, full_disk_error, is_full, names_full_disk
from components.shared.tracking.retry import until_deadline
from components.shared.tracking.runs import Tracker
from pipelines import cli

FULL = Path("/dev/full")
"""Linux' device on which every write ends with ENOSPC."""
NAMED = (
    r"cannot be written: the disk of /\S* is full \([\d,]+ MB of [\d,.]+ GB are free.*\); remove what is not needed "
)


def _full(*_arguments, **_named):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_write_that_meets_a_full_disk_names_file_and_disk(tmp_path):
    """The kernel's own error, on a device that is always full; nothing is left of the file."""
    target = tmp_path / "folder" / "report.json"

    def write():
        with storage.atomic_write(target) as partial:
            partial.symlink_to(FULL)
            partial.write_text("x" * 100_000)

    with pytest.raises(FullDiskError, match=rf"^{re.escape(str(target))} {NAMED}"):
        write()
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: storage.put_text("x", str(folder / "a.txt")),
        lambda folder: storage.put(folder / "source", str(folder / "a.txt")),
        lambda folder: storage.fetch(str(folder / "source"), folder / "a.txt"),
    ],
    ids=["put_text", "put", "fetch"],
)
def test_every_copy_names_the_full_disk(tmp_path, monkeypatch, write):
    """Whichever way a file comes to an address; the file is not there."""
    (tmp_path / "source").write_text("x")
    monkeypatch.setattr(shutil, "copyfile", _full)
    with pytest.raises(FullDiskError, match=rf"a\.txt {NAMED}"):
        write(tmp_path)
    assert not (tmp_path / "a.txt").exists()


def test_a_folder_that_cannot_be_made_names_the_full_disk(tmp_path, monkeypatch):
    """No inode is left, or no block for the folder."""
    monkeypatch.setattr(Path, "mkdir", _full)
    with pytest.raises(FullDiskError, match=NAMED):
        storage.put_text("x", str(tmp_path / "a" / "b.txt"))


def test_rows_that_sqlite_cannot_keep_name_the_full_disk(build):
    """SQLite's own words, and the folder of its temporary files."""
    store = RowStore()
    store._database.execute("PRAGMA max_page_count = 20")

    def fill():
        for number in range(3000):
            store.add(build.chat(f"{number} " * 50), [f"{number}"])

    with pytest.raises(FullDiskError, match=rf"^{re.escape(row_store._sqlite_temp())} {NAMED}"):
        fill()


def test_the_audit_log_names_the_full_disk(context, monkeypatch):
    """Not that the log is to be made writable."""
    monkeypatch.setattr(os, "write", _full)
    with pytest.raises(FullDiskError, match=rf"audit\.jsonl {NAMED}"):
        record(context, "decided", "because", {})


@pytest.mark.parametrize(
    ("error", "uri", "kind", "message"),
    [
        (
            MlflowException("(sqlite3.OperationalError) database or disk is full"),
            "sqlite:////srv/m.db",
            FullDiskError,
            rf"^/srv/m\.db {NAMED}",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "/srv/a.json"),
            "http://h",
            FullDiskError,
            rf"a\.json {NAMED}",
        ),
        (
            MlflowException("OSError: [Errno 28] No space left on device: '/mlartifacts'"),
            "http://h:5000",
            TrackingError,
            r"'http://h:5000' has no room left: .*; free some on the disk of the server, and run the step again$",
        ),
    ],
)
def test_mlflow_names_the_full_disk(error, uri, kind, message):
    """That of the sqlite store, of local artifacts or of the server; nothing is repeated."""

    def call():
        raise error

    with pytest.raises(kind, match=message):
        until_deadline(call, uri, 60)


def test_a_stage_names_the_full_disk(context):
    """Whatever library wrote in it; MLflow has the same error."""
    tracker = Tracker(context)

    def work():
        with tracker.stage("finetune_lora"):
            raise RuntimeError("[enforce fail] No space left on device")

    with pytest.raises(FullDiskError, match=NAMED):
        work()
    assert [failure.kind for failure in tracker.failures()] == ["FullDiskError"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left", "/srv/x"), FullDiskError("/srv/x cannot be")])
def test_a_command_ends_with_the_error_alone(error, monkeypatch, capsys):
    """No traceback, and the exit code of a failure."""

    def fail():
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert capsys.readouterr().err.startswith("error: /srv/x cannot be")
    assert ended.value.code == 1


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (sqlite3.OperationalError("database or disk is full"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (DataError("rows.jsonl:1: the row says 'No space left on device'"), False),
        (ValueError("got 'No space left on device'"), False),
    ],
)
def test_only_a_full_disk_is_taken_for_one(error, full):
    """A row may speak of full disks."""
    assert is_full(error) is full


def test_a_full_disk_behind_another_error_is_found():
    """A library's error that was turned into ours keeps what caused it."""

    def download():
        with names_full_disk("/srv/model"):
            try:
                _full()
            except OSError as error:
                raise ModelError("cannot be downloaded") from error

    with pytest.raises(FullDiskError, match=rf"^/srv/model {NAMED}") as caught:
        download()
    assert full_disk_error(caught.value) is caught.value
    assert isinstance(caught.value, StorageError)
