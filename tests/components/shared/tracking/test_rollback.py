"""Rolling a registered model back, on a real sqlite store."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from components.shared.audit import NO_VERSION, StandingReader, open_log
from components.shared.config.run_context import RunContext
from components.shared.errors import ConfigError
from components.shared.tracking.registry import PREVIOUS, ROLLED_BACK_TAG, LoggedAdapter, ensure_version, follow
from components.shared.tracking.rollback import plan_rollback, roll_back
from components.shared.tracking.runs import Tracker

MODEL = "toy"
SERVED = """import mlflow
class Served(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return ["yes"]
mlflow.models.set_model(Served())
"""


@pytest.fixture
def register(tmp_path: Path, build, context: RunContext) -> Callable[..., str]:
    """Registers a version for a pipeline run, as the step does."""
    (tmp_path / "served.py").write_text(SERVED)

    def run(pipeline_run: str, weights: str = "") -> str:
        tracker = Tracker(context._replace(pipeline_run=pipeline_run))
        adapter = build.adapter_files(tmp_path / pipeline_run, (weights or pipeline_run).encode())
        tags = {"plimsoll.mlflow_pipeline": "toy", "plimsoll.adapter_digest": adapter}
        logged = LoggedAdapter(MODEL, tmp_path / pipeline_run, tmp_path / "served.py", {}, {}, ["mlflow"], tags, "")
        with tracker.stage("register_adapter") as stage:
            version = ensure_version(tracker, stage, logged).version
        log = open_log(context.tracking.audit_log)
        facts = {"model_name": MODEL, "version": version, "adapter_digest": adapter}
        log.append("registered", "A reason.", facts, "toy", pipeline_run, "ada")
        follow(tracker.client, MODEL, StandingReader(log, MODEL))
        return version

    return run


def aliases(client: MlflowClient) -> dict[str, str]:
    return {alias: str(version) for alias, version in client.get_registered_model(MODEL).aliases.items()}


def back(context: RunContext, to: str | None = None) -> None:
    plan, log = plan_rollback(context.tracking, MODEL, to), open_log(context.tracking.audit_log)
    facts = {"model_name": MODEL, "left": plan.left, "champion": plan.champion, "previous": plan.previous or NO_VERSION}
    log.append("rollback", "It helps with harm.", facts, plan.pipeline, plan.pipeline_run, "Ada")
    roll_back(context.tracking, plan, "Ada", "It helps with harm.", StandingReader(log, MODEL))


def test_champion_goes_back_step_by_step(register, context: RunContext, tracker: Tracker):
    """3 to 2 to 1, each version that is left says by whom and why, and before the first there is nothing."""
    for number in (1, 2, 3):
        register(f"run-{number}")
    assert aliases(tracker.client) == {"champion": "3", "previous": "2"}
    plan = plan_rollback(context.tracking, MODEL)
    assert (plan.left, plan.champion, plan.previous) == ("3", "2", "1")
    assert (plan.pipeline, plan.pipeline_run) == ("toy", "run-3")
    assert aliases(tracker.client) == {"champion": "3", "previous": "2"}
    back(context)
    assert aliases(tracker.client) == {"champion": "2", "previous": "1"}
    assert tracker.client.get_model_version(MODEL, "3").tags[ROLLED_BACK_TAG].endswith("Z by Ada: It helps with harm.")
    back(context)
    assert aliases(tracker.client) == {"champion": "1"}
    with pytest.raises(ConfigError, match="version 1 is champion and none is 'previous': there is nothing to go back"):
        back(context)


def test_a_repeated_registration_does_not_bring_it_back(register, context: RunContext, tracker: Tracker):
    """A retried step of the run whose version was left moves nothing; the next run's version replaces the champion."""
    register("run-1")
    register("run-2")
    back(context)
    assert register("run-2") == "2"
    assert aliases(tracker.client) == {"champion": "1"}
    assert register("run-3") == "3"
    assert aliases(tracker.client) == {"champion": "3", "previous": "1"}


def test_a_version_that_was_left_is_skipped(register, context: RunContext, tracker: Tracker):
    """After 2 was left for 1, and 4 for 3, the version to go back to is 1: never one that was left before."""
    register("run-1")
    register("run-2")
    back(context)
    register("run-3")
    register("run-4")
    back(context)
    assert aliases(tracker.client) == {"champion": "3", "previous": "1"}


def test_a_rollback_can_be_undone(register, context: RunContext, tracker: Tracker):
    """--to a later version makes it champion again, without its mark, and the other one previous."""
    register("run-1")
    register("run-2")
    back(context)
    back(context, "2")
    assert aliases(tracker.client) == {"champion": "2", "previous": "1"}
    assert ROLLED_BACK_TAG not in tracker.client.get_model_version(MODEL, "2").tags


def test_what_cannot_be_done_is_said(register, context: RunContext):
    """An unknown model, an unknown version and the champion itself are named, with the versions that there are."""
    with pytest.raises(ConfigError, match="'toy' has no champion"):
        plan_rollback(context.tracking, MODEL)
    register("run-1")
    with pytest.raises(ConfigError, match="there is no version '7'; its versions are 1"):
        plan_rollback(context.tracking, MODEL, "7")
    with pytest.raises(ConfigError, match="version 1 is champion already"):
        plan_rollback(context.tracking, MODEL, "1")
    with pytest.raises(ConfigError, match="expected a name without quotes"):
        plan_rollback(context.tracking, "it's")


def test_a_version_of_the_same_adapter_is_no_way_back(register, context: RunContext, tracker: Tracker):
    """Neither where the aliases are set, nor where an older release left such an alias."""
    register("run-1")
    register("run-2", "same")
    register("run-3", "same")
    assert aliases(tracker.client) == {"champion": "3", "previous": "1"}
    tracker.client.set_registered_model_alias(MODEL, PREVIOUS, "2")
    assert plan_rollback(context.tracking, MODEL).champion == "1"
    back(context)
    assert aliases(tracker.client) == {"champion": "1"}
