"""Calls are repeated while the server is away: MLflow's own server behind a proxy that fails, and sqlite stores."""

import pickle
import sqlite3
from pathlib import Path
from threading import Timer

import pytest
import requests
from mlflow.exceptions import MlflowException

from components.shared.artifacts.decision import Standing
from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.errors import DataError, TrackingError
from components.shared.tracking.decided import experiment_link
from components.shared.tracking.recorded_runs import find_run
from components.shared.tracking.registry import AdapterVersion, LoggedAdapter, ensure_version, follow
from components.shared.tracking.retry import MlflowRefusalError, until_deadline
from components.shared.tracking.runs import PARENT, Tracker, open_client
from components.shared.tracking.stage_run import StageRun
from components.shared.tracking.tagged import tagged_runs

from .conftest import FailingProxy

SERVED = """import mlflow
class Served(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return ["yes"]
mlflow.models.set_model(Served())
"""


@pytest.fixture
def server_context(proxy: FailingProxy, request: pytest.FixtureRequest) -> RunContext:
    """A pipeline run of this test's own experiment."""
    return RunContext(
        TrackingConfig(uri=proxy.uri, experiment=request.node.name.replace("[", " ").strip("]")), "toy", "run-1"
    )


def stages(tracker: Tracker, name: str) -> list:
    return tagged_runs(tracker.client, [tracker.experiment_id], {"plimsoll.stage": name})


def log_everything(stage: StageRun, folder: Path) -> None:
    folder.mkdir()
    (folder / "a.json").write_text("{}")
    stage.metrics({"loss": 0.5})
    stage.curves({"curve": [(1, 1.0), (2, 2.0)]})
    stage.params({"rank": 8})
    stage.tags({"colour": "blue"})
    stage.file(folder / "a.json", "single")
    stage.folder(folder, "all")
    stage.text("héllo", "text.md")
    stage.dataset("rows.jsonl", "s3://bucket/rows.jsonl", "sha256:" + "a" * 64, "training")


@pytest.mark.parametrize("fault", ["reset", "lost", 429, 500, 503])
def test_every_write_arrives_once_though_its_first_try_fails(
    server_context: RunContext, proxy: FailingProxy, tmp_path: Path, fault: str | int, capsys
):
    """Whatever an overloaded or restarting server shows: nothing is missing and nothing is there twice."""
    tracker = Tracker(server_context)
    writes = ("runs/log-batch", "artifacts/artifacts", "runs/log-inputs", "runs/update")
    with tracker.stage("finetune_lora") as stage:
        proxy.faults = {part: [fault] for part in writes}
        log_everything(stage, tmp_path / "work")
    assert proxy.faults == {part: [] for part in writes}
    (run,) = stages(tracker, "finetune_lora")
    assert (run.info.status, run.data.params, run.data.tags["colour"]) == ("FINISHED", {"rank": "8"}, "blue")
    assert [len(tracker.client.get_metric_history(run.info.run_id, key)) for key in ("loss", "curve")] == [1, 2]
    assert [stage.read_text(name) for name in ("single/a.json", "all/a.json", "text.md")] == ["{}", "{}", "héllo"]
    assert len(run.inputs.dataset_inputs) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(writes)
    assert all(line.startswith(f"[mlflow] {proxy.uri} does not answer; trying again until ") for line in lines)


def test_a_server_that_comes_back_is_waited_for(server_context: RunContext, proxy: FailingProxy):
    """While it is down connections are refused; the write arrives when it is up again."""
    tracker = Tracker(server_context)
    with tracker.stage("finetune_lora") as stage:
        proxy.stop()
        Timer(1.0, proxy.start).start()
        stage.metrics({"loss": 0.5})
    assert stages(tracker, "finetune_lora")[0].data.metrics == {"loss": 0.5}


@pytest.mark.parametrize("fault", ["reset", 503])
def test_what_was_logged_is_read_while_the_server_restarts(
    server_context: RunContext, proxy: FailingProxy, tmp_path: Path, fault: str | int
):
    """Files and folders are downloaded once the server answers again, though mlflow's client hides why it failed."""
    parent = Tracker(server_context).parent()
    for name in ("a.json", "evidence/b.json", "evidence/post/c.json"):
        parent.text(name, name)
    proxy.faults = {name: [fault] for name in ("artifacts/a.json", "post/c.json", "?path=")}
    assert parent.read_text("a.json") == "a.json"
    folder = find_run(server_context.tracking, parent.run_id).fetch("evidence", tmp_path)
    assert not any(proxy.faults.values())
    assert folder == tmp_path / "evidence"
    assert [(folder / name).read_text() for name in ("b.json", "post/c.json")] == [
        "evidence/b.json",
        "evidence/post/c.json",
    ]


def test_a_store_is_opened_and_a_stage_begun_while_the_server_restarts(server_context: RunContext, proxy: FailingProxy):
    """Opening, reading and creating are repeated like writing."""
    proxy.faults = {
        part: [503, "reset"] for part in ("experiments/search", "experiments/get-by-name", "runs/search", "runs/create")
    }
    tracker = Tracker(server_context)
    with tracker.stage("finetune_lora") as stage:
        assert stage.read_text("a.txt") is None
    assert not any(proxy.faults.values())
    assert (len(stages(tracker, PARENT)), len(stages(tracker, "finetune_lora"))) == (1, 1)


def test_no_run_or_experiment_is_created_twice(server_context: RunContext, proxy: FailingProxy):
    """The server created them but its answers got lost: they are found again. A repeated stage is another run."""
    proxy.faults = {"experiments/create": ["lost"], "runs/create": ["lost"]}
    tracker = Tracker(server_context)
    tracker.parent()
    proxy.faults["runs/create"] = ["lost"]
    with tracker.stage("finetune_lora"):
        pass
    assert not any(proxy.faults.values())
    assert (len(stages(tracker, PARENT)), len(stages(tracker, "finetune_lora"))) == (1, 1)
    with tracker.stage("finetune_lora"):
        pass
    assert len(stages(tracker, "finetune_lora")) == 2


def test_no_version_is_created_twice(server_context: RunContext, proxy: FailingProxy, tmp_path: Path, build):
    """Registering survives a restarting server and lost answers with one version, which is champion."""
    build.adapter_files(tmp_path / "adapter")
    (tmp_path / "served.py").write_text(SERVED)
    logged = LoggedAdapter("model", tmp_path / "adapter", tmp_path / "served.py", {}, {}, ["mlflow"], {}, "")
    tracker = Tracker(server_context)
    with tracker.stage("register_adapter") as stage:
        proxy.faults = {
            "logged-models": ["lost"],
            "artifacts/artifacts": ["reset"],
            "registered-models/create": ["lost"],
            "model-versions/create": ["lost"],
            "registered-models/alias": [503, "lost"],
        }
        assert ensure_version(tracker, stage, logged) == AdapterVersion("1", None, True, "run-1")
        follow(tracker.client, "model", lambda: Standing("1", None, frozenset("1")))
    assert not any(proxy.faults.values())
    assert len(tracker.client.search_model_versions("name = 'model'")) == 1
    assert str(tracker.client.get_model_version_by_alias("model", "champion").version) == "1"


def test_a_server_that_stays_away_is_named(server_context: RunContext, proxy: FailingProxy, capsys):
    """After the deadline one error names the server, what was expected and the cure."""
    tracker = Tracker(server_context, deadline_s=0.5)

    def attempt() -> None:
        with tracker.stage("finetune_lora") as stage:
            proxy.stop()
            stage.metrics({"loss": 0.5})

    with pytest.raises(TrackingError) as caught:
        attempt()
    assert str(caught.value).startswith(
        f"MLflow store '{proxy.uri}' did not answer for 0 s, expected an answer within that time: API request to "
    )
    assert str(caught.value).endswith("; start the server, or correct tracking.uri, and run the step again")
    assert "[finetune_lora] error: MLflow store" in capsys.readouterr().out


def test_a_failed_stage_raises_its_own_error(server_context: RunContext, proxy: FailingProxy, capsys):
    """With the server away, a step's error is still the one that is raised and shown."""
    tracker = Tracker(server_context, deadline_s=0.5)

    def attempt() -> None:
        with tracker.stage("finetune_lora"):
            proxy.stop()
            raise DataError("rows.jsonl:3: no")

    with pytest.raises(DataError, match=r"rows\.jsonl:3: no"):
        attempt()
    assert capsys.readouterr().out.splitlines()[-1] == "[finetune_lora] error: rows.jsonl:3: no"


def test_what_a_server_refuses_is_not_repeated(server_context: RunContext, proxy: FailingProxy, tmp_path: Path, capsys):
    """A parameter that changes, a run that does not exist and an upload that is forbidden are errors at once."""
    tracker = Tracker(server_context)
    with tracker.stage("finetune_lora") as stage:
        stage.params({"rank": 8})
        proxy.requests.clear()
        with pytest.raises(MlflowRefusalError, match=r"(?s)refused a call: .*rank.*; check that") as caught:
            stage.params({"rank": 9})
        assert (caught.value.code, len(proxy.requests)) == ("INVALID_PARAMETER_VALUE", 1)
        with pytest.raises(MlflowRefusalError) as caught:
            tracker.client.get_run("0" * 32)
        assert caught.value.code == "RESOURCE_DOES_NOT_EXIST"
        proxy.faults = {"artifacts/artifacts": [403, 404]}
        (tmp_path / "a.json").write_text("{}")
        for _ in proxy.faults["artifacts/artifacts"].copy():
            with pytest.raises(MlflowRefusalError, match="Client Error"):
                stage.file(tmp_path / "a.json")
        stage.file(tmp_path / "a.json")
        proxy.faults = {"artifacts/a.json": [404]}
        with pytest.raises(MlflowRefusalError, match="Client Error"):
            stage.read_text("a.json")
    assert capsys.readouterr().err == ""


def test_mlflows_own_retries_are_off(monkeypatch: pytest.MonkeyPatch, proxy: FailingProxy):
    """They would repeat the creation of a run without looking for the first one, whatever the environment asks for."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")
    proxy.faults = {"experiments/search": [503, 503]}
    with pytest.raises(TrackingError, match="did not answer for 0 s"):
        open_client(TrackingConfig(uri=proxy.uri), deadline_s=0)
    assert proxy.requests == ["POST /api/2.0/mlflow/experiments/search"]


def test_a_link_is_asked_for_once(proxy: FailingProxy, capsys):
    """`plimsoll submit` does not wait for a server that only the cluster reaches."""
    proxy.stop()
    with pytest.raises(TrackingError, match="did not answer for 0 s"):
        experiment_link(TrackingConfig(uri=proxy.uri))
    assert capsys.readouterr().err == ""


def test_a_locked_sqlite_file_is_waited_for(tmp_path: Path):
    """sqlite's own words for it, after its busy timeout, are no refusal."""
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
    other.execute("BEGIN EXCLUSIVE")
    tries = []

    def write() -> int:
        tries.append("write")
        if len(tries) == 3:
            other.rollback()
        try:
            with sqlite3.connect(path, timeout=0) as connection:
                return connection.execute("INSERT INTO t VALUES (1)").rowcount
        except sqlite3.OperationalError as error:
            raise MlflowException(error) from error

    assert until_deadline(write, f"sqlite:///{path}", 5) == 1
    assert len(tries) == 3


def test_a_sqlite_store_that_fails_is_not_waited_for(context: RunContext, capsys):
    """There is no server that could come back: a missing table is an error at once."""
    tracker = Tracker(context)
    tracker.parent()
    with sqlite3.connect(str(context.tracking.sqlite_file)) as connection:
        connection.execute("DROP TABLE metrics")
    with pytest.raises(MlflowRefusalError, match="no such table"):
        tracker.parent().metrics({"loss": 0.5})
    assert "does not answer" not in capsys.readouterr().err


def test_a_refusal_crosses_a_process_boundary():
    """Calibration runs steps in worker processes, which hand their errors over by pickle."""
    error = pickle.loads(pickle.dumps(MlflowRefusalError("no", "PERMISSION_DENIED")))  # noqa: S301 - our own
    assert (str(error), error.code) == ("no", "PERMISSION_DENIED")


@pytest.mark.parametrize("deadline_s", [0, 0.1])
def test_a_password_in_the_uri_is_never_shown(deadline_s: float, capsys):
    """Neither the line that says that a call is repeated nor the error at the end has it; user and host stay."""

    def fail() -> None:
        raise requests.ConnectionError("refused")

    with pytest.raises(TrackingError) as raised:
        until_deadline(fail, "postgresql://team:s3cret@db.example.com:5432/mlflow", deadline_s)
    shown = f"{raised.value}{capsys.readouterr().err}"
    assert "s3cret" not in shown
    assert "postgresql://team:***@db.example.com:5432/mlflow" in shown
