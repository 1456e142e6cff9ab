"""Runs are found by any of their ids, in any experiment, and what they logged is downloaded."""

from pathlib import Path

import pytest

from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.errors import TrackingError
from components.shared.tracking.recorded_runs import find_run
from components.shared.tracking.runs import Tracker


@pytest.fixture
def logged(context: RunContext, tmp_path: Path) -> str:
    """A run with a folder of two files; its MLflow run id."""
    folder = tmp_path / "evidence"
    (folder / "post").mkdir(parents=True)
    (folder / "policy.json").write_text("{}")
    (folder / "post" / "answers.jsonl").write_text("rows")
    parent = Tracker(context).parent()
    parent.folder(folder, "evidence")
    parent.text("{}", "config.json")
    return parent.run_id


def test_a_run_is_found_by_every_id(context: RunContext, logged: str):
    """The parent's MLflow id, a stage's, and the id that a person was shown name the same run."""
    with Tracker(context).stage("check_gate") as stage:
        pass
    elsewhere = context.tracking.model_copy(update={"experiment": "another"})
    runs = [find_run(elsewhere, name) for name in (logged, stage.run_id, context.pipeline_run)]
    assert {run.run_id for run in runs} == {logged}
    assert {run.pipeline_run for run in runs} == {context.pipeline_run}
    assert {run.tracking.experiment for run in runs} == {context.tracking.experiment}


def test_files_and_folders_are_fetched(context: RunContext, logged: str, tmp_path: Path):
    """A folder comes with everything below it; what was not logged is None, and so is a version never registered."""
    run = find_run(context.tracking, logged)
    target = tmp_path / "fetched"
    target.mkdir()
    folder = run.fetch("evidence", target)
    assert folder is not None
    assert (folder / "post" / "answers.jsonl").read_text() == "rows"
    assert (run.fetch("config.json", target), run.fetch("nothing", target)) == (target / "config.json", None)
    assert run.fetch_registered(target) is None


@pytest.mark.parametrize("name", ["nothing", "it's; quoted", "0" * 32])
def test_an_unknown_run_is_named(context: RunContext, logged: str, name: str):
    """The error says what was looked for, and where."""
    with pytest.raises(TrackingError, match="holds no pipeline run"):
        find_run(context.tracking, name)


def test_no_store_is_made_by_looking(tmp_path: Path):
    """A missing sqlite file is an error, not an empty store."""
    tracking = TrackingConfig(uri=f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(TrackingError, match="there is no MLflow store"):
        find_run(tracking, "run-1")
    assert not (tmp_path / "none.db").exists()
