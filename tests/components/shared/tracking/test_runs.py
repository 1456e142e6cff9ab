"""MLflow runs, on a real sqlite store."""

from pathlib import Path

import pytest

from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.errors import DataError, TrackingError
from components.shared.tracking.runs import StageFailure, Tracker, open_client
from components.shared.tracking.tagged import tagged_runs


def stages(tracker: Tracker) -> dict[str, tuple[str, dict[str, str]]]:
    return {
        run.data.tags["plimsoll.stage"]: (run.info.status, dict(run.data.tags))
        for run in tracker.client.search_runs([tracker.experiment_id])
    }


def test_the_parent_is_made_once(context: RunContext):
    """Whoever asks first makes it, everyone else finds it by its tag; another pipeline run has another."""
    first = Tracker(context).parent().run_id
    assert Tracker(context).parent().run_id == first
    assert Tracker(context._replace(pipeline_run="run-2")).parent().run_id != first


def test_a_stage_is_nested_and_finishes(tracker: Tracker):
    """A stage is a child of the parent, and FINISHED at its end."""
    with tracker.stage("prepare_data") as stage:
        assert tracker.client.get_run(stage.run_id).info.status == "RUNNING"
    status, tags = stages(tracker)["prepare_data"]
    assert status == "FINISHED"
    assert tags["mlflow.parentRunId"] == tracker.parent().run_id
    assert tags["plimsoll.pipeline_run"] == "run-1"
    assert tracker.parent_status() == "RUNNING"


def test_a_failed_stage_carries_its_reason(tracker: Tracker, capsys):
    """The error goes on, and class and message are on the run and on the terminal."""
    with pytest.raises(DataError), tracker.stage("prepare_data"):
        raise DataError("rows.jsonl:3: no")
    status, tags = stages(tracker)["prepare_data"]
    assert status == "FAILED"
    assert (tags["plimsoll.error_kind"], tags["plimsoll.error"]) == ("DataError", "rows.jsonl:3: no")
    assert capsys.readouterr().out == "[prepare_data] error: rows.jsonl:3: no\n"


def test_an_unexpected_error_shows_its_class(tracker: Tracker, capsys):
    """An error that nobody raised on purpose is shown with its class, even without a message."""
    with pytest.raises(KeyError), tracker.stage("gate"):
        raise KeyError
    assert capsys.readouterr().out == "[gate] error: KeyError: KeyError\n"


def test_an_interrupted_stage_is_killed(tracker: Tracker):
    """What is not an error but an interruption ends as KILLED."""
    with pytest.raises(KeyboardInterrupt), tracker.stage("finetune_lora"):
        raise KeyboardInterrupt
    assert stages(tracker)["finetune_lora"][0] == "KILLED"
    assert tracker.failures() == [StageFailure("finetune_lora", "KILLED", "KeyboardInterrupt")]


def test_failures_are_listed_in_order(tracker: Tracker):
    """Only failed stages, the first one first, with class and message."""
    with tracker.stage("prepare_data"):
        pass
    for name in ("finetune_lora", "evaluate_safety_baseline"):
        with pytest.raises(ValueError, match=name), tracker.stage(name):
            raise ValueError(name)
    failures = tracker.failures()
    assert {failure.stage for failure in failures} == {"finetune_lora", "evaluate_safety_baseline"}
    assert {(failure.kind, failure.message) for failure in failures} == {
        ("ValueError", "finetune_lora"),
        ("ValueError", "evaluate_safety_baseline"),
    }


def test_a_stage_that_was_tried_again_did_not_fail(tracker: Tracker):
    """A retry that finished makes up for the attempt before it."""
    with pytest.raises(ValueError, match="no GPU"), tracker.stage("finetune_lora"):
        raise ValueError("no GPU")
    assert len(tracker.failures()) == 1
    with tracker.stage("finetune_lora"):
        pass
    assert tracker.failures() == []


def test_closing_ends_what_was_left_running(tracker: Tracker):
    """A stage whose process is gone is failed, the parent gets the status, finished stages keep theirs."""
    with tracker.stage("prepare_data"):
        pass
    abandoned = tracker.client.create_run(tracker.experiment_id, tags=tracker._tags("finetune_lora"))
    tracker.close("FINISHED")
    assert {name: status for name, (status, _) in stages(tracker).items()} == {
        "pipeline": "FINISHED",
        "prepare_data": "FINISHED",
        "finetune_lora": "FAILED",
    }
    assert tracker.failures() == [StageFailure("finetune_lora", "FAILED", "ended as FAILED without a message")]
    assert tracker.client.get_run(abandoned.info.run_id).info.status == "FAILED"


def test_killing_ends_stages_as_killed(tracker: Tracker):
    """An interrupted pipeline leaves no stage that looks alive."""
    tracker.client.create_run(tracker.experiment_id, tags=tracker._tags("finetune_lora"))
    tracker.close("KILLED")
    assert {status for status, _ in stages(tracker).values()} == {"KILLED"}


@pytest.mark.parametrize("page", [1, 2, 5, 6])
def test_all_pages_of_runs_are_read(tracker: Tracker, page: int):
    """More runs than one call fetches are all found, the newest first."""
    starts = range(1, 7)
    created = [tracker.client.create_run(tracker.experiment_id, n, {"colour": "blue"}).info.run_id for n in starts]
    tracker.client.create_run(tracker.experiment_id, 9, {"colour": "red"})
    runs = tagged_runs(tracker.client, [tracker.experiment_id], {"colour": "blue"}, page)
    assert [run.info.run_id for run in runs] == created[::-1]


def test_artifacts_lie_beside_the_database(tracker: Tracker, context: RunContext, tmp_path: Path):
    """A local store keeps everything in one folder, wherever the step runs."""
    tracker.parent().text("x", "x.txt")
    database = context.tracking.sqlite_file
    assert database is not None
    assert [path.name for path in (database.parent / "mlartifacts").rglob("x.txt")] == ["x.txt"]


def test_a_store_that_cannot_be_opened_names_its_address(tmp_path: Path):
    """A database that is none is a TrackingError with the config's field."""
    (tmp_path / "mlflow.db").write_text("this is no database, and long enough to be read as one by its header" * 20)
    with pytest.raises(TrackingError, match=r"(?s)mlflow\.db' refused a call: .*; check that tracking\.uri names"):
        open_client(TrackingConfig(uri=f"sqlite:///{tmp_path / 'mlflow.db'}"))
