"""A run is followed to its end, and what it says to the shell is the decision."""

import pytest

from components.shared.config.run_context import RunContext
from components.shared.tracking.runs import Tracker
from pipelines.cluster.follow import Ending, follow
from pipelines.cluster.run_result import run_result
from pipelines.cluster.server_errors import ClusterError

MINE = "of-this-morning"
RUN = "/apis/v2beta1/runs/r1"


def _task(name, state, **more):
    return {"display_name": name, "state": state, **more}


def _run(state, *tasks, **more):
    return {"state": state, "run_details": {"task_details": list(tasks)}, **more}


@pytest.fixture
def followed(kubeflow, connect, package):
    """Follows run r1 through these answers; the ending, the lines and the pauses."""

    def run(*answers, **named):
        kubeflow.things["runs"] = [{"run_id": "r1"}]
        kubeflow.states["r1"] = list(answers)
        lines, pauses = [], []
        ending = follow(connect(**named), "r1", package.tasks(), lines.append, sleep=pauses.append)
        return ending, lines, pauses

    return run


def test_every_change_is_one_line(followed, kubeflow):
    """The server is asked until the run is over; a step says when its state changes, the server's own tasks do not."""
    ending, lines, pauses = followed(
        _run("PENDING"),
        _run("RUNNING", _task("prepare-data", "RUNNING"), _task("prepare-data-driver", "SUCCEEDED")),
        _run("RUNNING", _task("prepare-data", "SUCCEEDED"), _task("evaluate-safety", "RUNNING")),
        _run("RUNNING", _task("prepare-data", "SUCCEEDED"), _task("evaluate-safety", "RUNNING")),
        _run("SUCCEEDED", _task("prepare-data", "SUCCEEDED"), _task("evaluate-safety", "SUCCEEDED")),
    )
    assert lines == [
        "run r1: pending",
        "prepare_data: running",
        "run r1: running",
        "prepare_data: succeeded",
        "evaluate_safety (baseline): running",
        "evaluate_safety (baseline): succeeded",
        "run r1: succeeded",
    ]
    assert ending == Ending("SUCCEEDED", None, ())
    assert pauses == [10.0] * 4
    assert len(kubeflow.sent("GET", RUN)) == 5


@pytest.mark.parametrize("state", ["FAILED", "CANCELED", "SKIPPED"])
def test_every_end_is_an_end(followed, state):
    """A failed, cancelled or skipped run is over; the steps that failed are named."""
    ending, lines, _ = followed(
        _run(state, _task("finetune-lora", "FAILED", error={"message": "OOMKilled"}), error={"message": "step failed"})
    )
    assert ending == Ending(state, "step failed", ("finetune_lora",))
    assert "finetune_lora: failed (OOMKilled)" in lines


def test_a_server_that_is_away_for_a_while_is_waited_for(followed, kubeflow, waits):
    """Answers of 503 between two questions do not end the following."""
    kubeflow.fail("GET", RUN, 503, times=2)
    ending, _, _ = followed(_run("SUCCEEDED"))
    assert ending.state == "SUCCEEDED"
    assert waits == [1.0, 2.0]


def test_a_token_that_expires_meanwhile_is_one_message(followed, kubeflow):
    """A run of hours outlives a token: the message says so, and the run goes on without us."""
    kubeflow.accepted = "other"
    with pytest.raises(ClusterError, match="has expired"):
        followed(_run("RUNNING"), token=MINE)


@pytest.fixture
def tracked(tracked_project):
    """Makes the MLflow run of pipeline run r1."""
    from components.shared.config.sections import TrackingConfig

    context = RunContext(TrackingConfig(uri=f"sqlite:///{tracked_project.folder}/.plimsoll/mlflow.db"), "small", "r1")

    def make(status="FINISHED", **tags):
        tracker = Tracker(context)
        tracker.parent().tags({f"plimsoll.{name}": value for name, value in tags.items()})
        tracker.close(status)
        return context.tracking

    make.tracking = context.tracking
    return make


@pytest.mark.parametrize(
    ("decision", "code"),
    [("promote", 0), ("reject", 10), ("needs_review", 11), ("insufficient_evidence", 12), ("invalid", 13)],
)
def test_a_finished_run_ends_with_its_decision(tracked, decision, code):
    """The exit code of a run that succeeded is that of its decision in MLflow."""
    result = run_result(tracked(decision=decision), "r1", Ending("SUCCEEDED", None, ()))
    assert (result.exit_code, decision in result.text) == (code, True)


def test_green_without_a_decision_is_a_failure(tracked):
    """The server says that all is well, MLflow has no decision, or a step that failed after one: exit code 1."""
    tracked.tracking.sqlite_file.parent.mkdir(exist_ok=True)
    unknown = run_result(tracked.tracking, "r1", Ending("SUCCEEDED", None, ()))
    assert (unknown.exit_code, "does not know it" in unknown.text) == (1, True)
    tracking = tracked("FAILED", decision="promote", failed_stage="register_adapter", error="no registry")
    failed = run_result(tracking, "r1", Ending("SUCCEEDED", None, ()))
    assert failed.exit_code == 1
    assert failed.text == "no decision was reached (MLflow says FAILED): register_adapter: no registry"


def test_a_red_run_is_a_failure_whatever_was_decided(tracked):
    """A run that the server calls failed or cancelled ends with 1 and names step and reason."""
    tracking = tracked("FAILED", decision="promote")
    result = run_result(tracking, "r1", Ending("CANCELED", "stopped by a person", ("evaluate_safety (post)",)))
    assert (result.exit_code, result.text) == (
        1,
        "the run ended as CANCELED in evaluate_safety (post): stopped by a person",
    )
