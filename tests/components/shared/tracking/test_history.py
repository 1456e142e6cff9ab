"""Attempts on one base and one task, counted on a real sqlite store."""

import pytest

from components.shared.artifacts.training_data import DataSource
from components.shared.config.run_context import RunContext
from components.shared.tracking.history import attempts_before, lineage_tags, task_digest
from components.shared.tracking.runs import Tracker

BASE, TASK = "sha256:ba5e", "sha256:7a5c"


def source(sha256: str, role: str = "task", address: str = "t.jsonl") -> DataSource:
    return DataSource(address=address, role=role, sha256=sha256, format="chat", rows=4, used=3)


@pytest.fixture
def decided(context: RunContext):
    """Makes a pipeline run with a decision on a base and a task."""

    def decided(pipeline_run: str, base: str = BASE, task: str = TASK, decision: str | None = "reject") -> Tracker:
        tracker = Tracker(context._replace(pipeline_run=pipeline_run))
        tags = lineage_tags(base, task)
        tracker.parent().tags(tags if decision is None else {**tags, "plimsoll.decision": decision})
        return tracker

    return decided


def test_decided_runs_on_the_same_base_and_task_are_counted(decided, tracker: Tracker):
    """Whatever was decided; another base, another task and an undecided run are no attempts."""
    decided("a", decision="reject")
    decided("b", decision="promote")
    decided("c", base="sha256:0ther")
    decided("d", task="sha256:0ther")
    decided("e", decision=None)
    assert attempts_before(tracker, BASE, TASK) == 2
    assert attempts_before(tracker, "sha256:0ther", TASK) == 1
    assert attempts_before(tracker, "sha256:0ther", "sha256:0ther") == 0


def test_the_current_run_is_not_its_own_predecessor(decided):
    """A gate that is tried again counts the same attempts as the first time."""
    decided("a")
    current = decided("b")
    assert attempts_before(current, BASE, TASK) == 1
    with current.stage("check_gate") as stage:
        stage.tags({**lineage_tags(BASE, TASK), "plimsoll.decision": "reject"})
    assert attempts_before(current, BASE, TASK) == 1


def test_a_stage_is_no_attempt(decided, tracker: Tracker):
    """Only the run of the whole pipeline counts, though its stages may carry the same tags."""
    other = decided("a")
    with other.stage("check_gate") as stage:
        stage.tags({**lineage_tags(BASE, TASK), "plimsoll.decision": "reject"})
    assert attempts_before(tracker, BASE, TASK) == 1


def test_another_experiment_is_another_history(decided, context: RunContext):
    """Attempts are counted per experiment."""
    decided("a")
    elsewhere = context._replace(tracking=context.tracking.model_copy(update={"experiment": "elsewhere"}))
    assert attempts_before(Tracker(elsewhere), BASE, TASK) == 0


def test_a_task_is_its_rows():
    """Order, address and what is mixed in beside it do not make another task; other rows do."""
    task = task_digest([source("sha256:a"), source("sha256:b")])
    assert task == task_digest([source("sha256:b", address="moved.jsonl"), source("sha256:a")])
    assert task == task_digest([source("sha256:a"), source("sha256:b"), source("sha256:c", role="safety")])
    assert task != task_digest([source("sha256:a"), source("sha256:c")])
