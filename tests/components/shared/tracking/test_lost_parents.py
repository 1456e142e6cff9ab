"""A run whose experiment or parent was renamed or deleted is followed or refused; it never gets a second parent."""

import pytest

from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.errors import TrackingError
from components.shared.tracking.runs import PARENT, Tracker
from components.shared.tracking.tagged import tagged_runs


@pytest.fixture
def context(tmp_path, empty_mlflow_database) -> RunContext:
    (tmp_path / "mlflow.db").write_bytes(empty_mlflow_database.read_bytes())
    return RunContext(TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db", experiment="trials"), "toy", "run-1")


def _parents(tracker):
    experiments = [str(experiment.experiment_id) for experiment in tracker.client.search_experiments()]
    return [run.info.run_id for run in tagged_runs(tracker.client, experiments, {"plimsoll.stage": PARENT})]


@pytest.mark.parametrize("taken", [False, True])
def test_a_renamed_experiment_is_followed(context, taken):
    """Later steps record in the same parent, also where another run has taken the old name meanwhile."""
    first = Tracker(context)
    parent = first.parent().run_id
    first.client.rename_experiment(first.experiment_id, "kept for later")
    if taken:
        first.client.create_experiment("trials")
    later = Tracker(context)
    with later.stage("check_gate") as stage:
        assert later.client.get_run(stage.run_id).data.tags["mlflow.parentRunId"] == parent
    later.close("FINISHED")
    assert later.experiment_id == first.experiment_id
    assert _parents(later) == [parent]
    assert later.parent_status() == "FINISHED"


def test_a_deleted_parent_is_named_with_the_cure(context):
    """Nothing is recorded, and the way back is the command of mlflow; after it the step goes on."""
    first = Tracker(context)
    parent = first.parent().run_id
    first.client.delete_run(parent)
    with pytest.raises(
        TrackingError, match=rf"the MLflow run {parent} of this pipeline run was deleted, .* --run-id {parent}"
    ):
        Tracker(context).parent()
    assert _parents(first) == []
    first.client.restore_run(parent)
    assert Tracker(context).parent().run_id == parent


def test_a_deleted_experiment_is_named_with_the_cure(context):
    """In the middle of a run, and for a new run that wants its name."""
    first = Tracker(context)
    parent = first.parent().run_id
    first.client.delete_experiment(first.experiment_id)
    restore = rf"restore --experiment-id {first.experiment_id}"
    with pytest.raises(
        TrackingError, match=rf"'trials' was deleted in the MLflow store, with the run {parent} .*{restore}"
    ):
        Tracker(context).parent()
    other = RunContext(context.tracking, "toy", "run-2")
    with pytest.raises(TrackingError, match=rf"'trials' was deleted in the MLflow store; .*{restore}"):
        Tracker(other).parent()
    first.client.restore_experiment(first.experiment_id)
    assert Tracker(context).parent().run_id == parent
