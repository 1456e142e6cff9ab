"""What is logged while the server is away, on a real store behind a door that can be shut."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException, RestException
from requests import ConnectionError as NoConnectionError
from requests import HTTPError, Response

from components.shared.errors import DataError, TrackingError
from components.shared.tracking import queue, spool
from components.shared.tracking.queue import Queue, left_queues
from components.shared.tracking.runs import Tracker
from components.shared.tracking.sending import in_a_hurry, is_outage
from components.shared.tracking.spool import Spool
from components.shared.tracking.stage_run import StageRun


class Door:
    """The store's client, which fails like a server that cannot be reached while it is shut."""

    def __init__(self, client) -> None:
        self._client = client
        self.shut = False
        self.calls: list[str] = []

    def __getattr__(self, name: str):
        def call(*arguments, **named):
            if self.shut:
                raise MlflowException("API request to http://tests failed with exception Connection refused")
            self.calls.append(name)
            return getattr(self._client, name)(*arguments, **named)

        return call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where writes are kept; tries and waits are short."""
    monkeypatch.setenv("PLIMSOLL_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("PLIMSOLL_SPOOL_WAIT_S", "0.2")
    monkeypatch.setattr(spool, "_TRY_EVERY_S", 0.0)
    monkeypatch.setattr(spool, "_WAIT_AFTER_ERROR_S", 0.2)
    return tmp_path / "spool"


@pytest.fixture
def door(tracker: Tracker, folder: Path) -> Door:
    """The tracker writes through it."""
    tracker.parent()
    own = Door(tracker.client)
    tracker._spool = Spool(own, "http://tests", tracker.context.pipeline_run)
    return own


def stage_of(tracker: Tracker, name: str = "finetune_lora"):
    (run,) = tracker.client.search_runs([tracker.experiment_id], f"tags.`plimsoll.stage` = '{name}'")
    return run


def kept(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def log_everything(stage: StageRun, tmp_path: Path) -> None:
    """One of each; the files are gone right after."""
    work = tmp_path / "work"
    (work / "sub").mkdir(parents=True)
    (work / "a.json").write_text("{}")
    (work / "sub" / "b.json").write_text("[]")
    stage.metrics({"loss": 0.5, "nan": float("nan")})
    stage.curves({"curve": [(1, 1.0), (2, 2.0)]})
    stage.params({"rank": 8})
    stage.tags({"colour": "blue"})
    stage.file(work / "a.json", "single")
    stage.folder(work, "all")
    stage.text("héllo", "text.md")
    stage.dataset("rows.jsonl", "s3://bucket/rows.jsonl", "sha256:" + "a" * 64, "training")
    shutil.rmtree(work)


def test_nothing_is_kept_while_the_server_answers(tracker: Tracker, door: Door, folder: Path, tmp_path: Path):
    """Calls go straight through, and no folder is made."""
    with tracker.stage("finetune_lora") as stage:
        log_everything(stage, tmp_path)
    assert not folder.exists()
    assert stage_of(tracker).info.status == "FINISHED"


def test_what_is_logged_meanwhile_arrives_before_the_stage_ends(
    tracker: Tracker, door: Door, folder: Path, tmp_path: Path, capsys
):
    """Figures, texts, files that are gone by then, and inputs; the folder is removed, and the user was told."""
    with tracker.stage("finetune_lora") as stage:
        stage.tags({"colour": "red"})
        door.shut = True
        log_everything(stage, tmp_path)
        assert len(kept(folder)) == 4  # the queue, and the three files
        door.shut = False
    run = stage_of(tracker)
    assert run.info.status == "FINISHED"
    assert (run.data.metrics["loss"], run.data.metrics["curve"], run.data.params) == (0.5, 2.0, {"rank": "8"})
    assert run.data.metrics["nan"] != run.data.metrics["nan"]
    assert run.data.tags["colour"] == "blue"
    history = tracker.client.get_metric_history(run.info.run_id, "curve")
    assert [(metric.step, metric.value) for metric in history] == [(1, 1.0), (2, 2.0)]
    names = ("single/a.json", "all/a.json", "all/sub/b.json", "text.md")
    assert [stage.read_text(name) for name in names] == ["{}", "{}", "[]", "héllo"]
    (found,) = run.inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest, found.tags[0].value) == ("rows.jsonl", "a" * 36, "training")
    assert kept(folder) == []
    assert capsys.readouterr().err.count("does not answer: what is logged is kept in") == 1


def test_the_order_is_kept(tracker: Tracker, door: Door, folder: Path):
    """A tag that is set twice keeps its second value, also when the server returns between the two."""
    with tracker.stage("finetune_lora") as stage:
        for number in range(9):
            door.shut = number % 3 == 0
            stage.tags({"last": str(number)})
    assert stage_of(tracker).data.tags["last"] == "8"


def test_a_kept_write_is_on_the_run_when_it_is_read(tracker: Tracker, door: Door, folder: Path):
    """A stage reads what it wrote."""
    with tracker.stage("finetune_lora") as stage:
        door.shut = True
        stage.text("written", "a.txt")
        stage.tags({"colour": "blue"})
        door.shut = False
        assert stage.read_text("a.txt") == "written"
        assert stage.read_tags()["colour"] == "blue"


def test_a_stage_that_cannot_send_fails_and_the_next_one_sends(
    tracker: Tracker, door: Door, folder: Path, tmp_path: Path, capsys
):
    """The writes stay on disk, in this pipeline run's folder, and a retry sends them before anything else."""

    def attempt() -> None:
        with tracker.stage("finetune_lora") as stage:
            door.shut = True
            log_everything(stage, tmp_path)

    with pytest.raises(TrackingError, match=r"did not answer for 0 s: 9 writes are kept in .*run-1; start the server"):
        attempt()
    assert "[finetune_lora] error: MLflow store 'http://tests' did not answer" in capsys.readouterr().out
    first = stage_of(tracker)
    assert (first.info.status, first.data.metrics) == ("RUNNING", {})
    door.shut = False
    Spool(door, "http://tests", "run-2").hold()
    assert len(kept(folder)) == 4
    with tracker.stage("check_gate") as stage:
        stage.metrics({"own": 1.0})
    again = tracker.client.get_run(first.info.run_id)
    assert (again.info.status, again.data.params) == ("FINISHED", {"rank": "8"})
    assert stage_of(tracker, "check_gate").data.metrics == {"own": 1.0}
    assert kept(folder) == []


def test_sending_twice_changes_nothing(tracker: Tracker, door: Door, folder: Path, tmp_path: Path):
    """A process that is killed while it sends may be followed by one that sends all of it again."""
    with tracker.stage("finetune_lora") as stage:
        door.shut = True
        log_everything(stage, tmp_path)
        shutil.copytree(folder, tmp_path / "copy")
        door.shut = False
    run = stage_of(tracker)
    shutil.copytree(tmp_path / "copy", folder, dirs_exist_ok=True)
    with tracker.stage("check_gate"):
        pass
    assert stage_of(tracker).data.to_dictionary() | {"metrics": 0} == run.data.to_dictionary() | {"metrics": 0}
    for key in ("loss", "curve"):
        assert len(tracker.client.get_metric_history(run.info.run_id, key)) == {"loss": 1, "curve": 2}[key]
    assert kept(folder) == []


def test_a_failed_stage_says_its_own_reason(tracker: Tracker, door: Door, folder: Path):
    """With the server away, a step's error is still the step's error, and is told once the server is back."""

    def attempt() -> None:
        with tracker.stage("finetune_lora"):
            door.shut = True
            raise DataError("rows.jsonl:3: no")

    with pytest.raises(DataError, match=r"rows\.jsonl:3: no"):
        attempt()
    assert stage_of(tracker).info.status == "RUNNING"
    door.shut = False
    with tracker.stage("publish_report"):
        pass
    assert stage_of(tracker).info.status == "FAILED"
    assert stage_of(tracker).data.tags["plimsoll.error"] == "rows.jsonl:3: no"


def test_the_folder_is_bounded(tracker: Tracker, door: Door, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """More than the limit is a TrackingError, rather than a full disk."""
    monkeypatch.setattr(queue, "LIMIT", 2000)

    def attempt() -> None:
        with tracker.stage("finetune_lora") as stage:
            door.shut = True
            for _ in range(100):
                stage.text("x" * 100, "a.txt")

    with pytest.raises(TrackingError, match=r"would pass the limit of 2,000; start the server"):
        attempt()
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 2000


def test_a_refusal_is_no_outage(tracker: Tracker, door: Door, folder: Path):
    """What the server does not take is an error at once."""

    def attempt() -> None:
        with tracker.stage("finetune_lora") as stage:
            stage.params({"rank": 8})
            stage.params({"rank": 9})

    with pytest.raises(MlflowException, match="rank"):
        attempt()
    assert not folder.exists()


def test_a_kept_write_that_is_refused_is_set_aside(tracker: Tracker, door: Door, folder: Path, capsys):
    """Waiting would not help: the stage fails with the server's words, and the next one is not stopped by it."""

    def attempt() -> None:
        with tracker.stage("finetune_lora") as stage:
            stage.params({"rank": 8})
            door.shut = True
            stage.params({"rank": 9})
            door.shut = False

    with pytest.raises(TrackingError, match=r"(?s)refuses what was kept for it: .*rank.*set aside in .*\.refused"):
        attempt()
    with tracker.stage("check_gate"):
        pass
    assert stage_of(tracker, "check_gate").info.status == "FINISHED"
    assert [name.endswith(".refused/queue.jsonl") for name in kept(folder)] == [True]


def test_what_another_process_keeps_is_left_to_it(folder: Path):
    """A folder whose owner is at work is not taken; once it is given up, it is."""
    own = Queue.begin(folder)
    own.append(queue.Entry("text", "run", {"text": "x", "name": "a"}))
    assert left_queues(folder) == []
    own.close()
    (found,) = left_queues(folder)
    assert (found.inherited, list(found.entries)) == (True, list(own.entries))


def test_a_line_that_was_cut_short_is_no_write(folder: Path):
    """A process that was killed while it wrote leaves the writes before."""
    own = Queue.begin(folder)
    own.append(queue.Entry("text", "run", {"text": "x", "name": "a"}))
    own.close()
    path = own.folder / "queue.jsonl"
    path.write_text(path.read_text() + json.dumps(own.entries[0])[:10])
    (found,) = left_queues(folder)
    assert len(found.entries) == 1


def test_a_folder_that_cannot_be_made_is_named(folder: Path):
    """The error names the variable to set."""
    folder.write_text("a file where the folder should be")
    with pytest.raises(TrackingError, match="set PLIMSOLL_SPOOL to a folder that can be written"):
        Queue.begin(folder)


def test_a_sqlite_store_keeps_nothing(tracker: Tracker, folder: Path):
    """There is no server that could come back: an error is an error."""
    shut = Door(tracker.client)
    tracker._spool = Spool(shut, tracker.context.tracking.uri, "run-1")
    with tracker.stage("finetune_lora") as stage:
        shut.shut = True
        with pytest.raises(MlflowException, match="refused"):
            stage.metrics({"a": 1})
        shut.shut = False
    assert not folder.exists()


def _answered(status: int) -> HTTPError:
    response = Response()
    response.status_code = status
    return HTTPError(response=response)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MlflowException("API request failed"), True),
        (RestException({"error_code": "TEMPORARILY_UNAVAILABLE", "message": "x"}), True),
        (RestException({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "x"}), False),
        (RestException({"error_code": "PERMISSION_DENIED", "message": "x"}), False),
        (NoConnectionError("refused"), True),
        (_answered(503), True),
        (_answered(429), True),
        (_answered(403), False),
        (FileNotFoundError("a.json"), False),
        (TypeError("our own"), False),
    ],
)
def test_an_outage_is_told_from_a_mistake(error: Exception, expected: bool):
    """No connection, a timeout and a failing server may pass; a wrong request, a missing file and a bug do not."""
    assert is_outage(error) is expected


def test_the_users_own_patience_is_kept(monkeypatch: pytest.MonkeyPatch):
    """A retry setting of the environment holds; ours is put in for the call only."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT", raising=False)
    with in_a_hurry():
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "9"
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "60"
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ


def test_a_run_that_ended_while_the_server_was_away_ended_then(tracker: Tracker, door: Door, folder: Path):
    """The end time is that of the stage, not of the sending."""
    with pytest.raises(TrackingError), tracker.stage("finetune_lora"):
        door.shut = True
    ended = int(time.time() * 1000)
    time.sleep(0.05)
    door.shut = False
    with tracker.stage("check_gate"):
        pass
    assert stage_of(tracker).info.end_time <= ended


def test_a_full_folder_does_not_hide_why_a_stage_failed(
    tracker: Tracker, door: Door, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    """When not even the reason can be kept, it is still what is raised."""
    monkeypatch.setattr(queue, "LIMIT", 10)

    def attempt() -> None:
        with tracker.stage("finetune_lora"):
            door.shut = True
            raise DataError("rows.jsonl:3: no")

    with pytest.raises(DataError, match=r"rows\.jsonl:3: no"):
        attempt()
    assert "would pass the limit" in capsys.readouterr().out
