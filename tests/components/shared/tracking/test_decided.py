"""What was decided last, read from a real sqlite store; nothing is made by reading."""

from datetime import UTC, date, datetime, timedelta

import pytest

from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.errors import TrackingError
from components.shared.tracking.decided import (
    champion_of,
    decided_on,
    experiment_link,
    last_decided,
    pipeline_run_status,
    run_link,
    running_since,
)
from components.shared.tracking.runs import Tracker


@pytest.fixture
def run(context: RunContext):
    """Makes a pipeline run."""

    def make(pipeline_run: str, status: str | None = "FINISHED", pipeline: str = "toy", **tags: str) -> Tracker:
        tracker = Tracker(context._replace(pipeline_run=pipeline_run, pipeline=pipeline))
        tracker.parent().tags({f"plimsoll.{name}": value for name, value in tags.items()})
        if status is not None:
            tracker.close(status)
        return tracker

    return make


def test_no_store_is_no_decision(tmp_path):
    """A store that does not exist holds nothing, and still does not exist afterwards."""
    tracking = TrackingConfig(uri=f"sqlite:///{tmp_path}/nothing/mlflow.db")
    assert last_decided(tracking, "toy") is None
    assert pipeline_run_status(tracking, "a") is None
    assert champion_of(tracking, "model") is None
    assert not (tmp_path / "nothing").exists()


def test_the_newest_decision_of_a_pipeline_counts(context, run):
    """Undecided runs and those of other pipelines do not."""
    run("a", decision="promote")
    run("b", decision="reject")
    run("c", "FAILED")
    run("d", decision="promote", pipeline="other")
    decided = last_decided(context.tracking, "toy")
    assert (decided.pipeline_run, decided.tags["plimsoll.decision"]) == ("b", "reject")
    assert last_decided(context.tracking, "third") is None


def test_a_status_says_how_far_a_run_has_come(context, run):
    """Status, decision and what failed, whatever stages there are."""
    run("a", None)
    assert pipeline_run_status(context.tracking, "a")[3:6] == ("RUNNING", None, None)
    run("b", "FAILED", failed_stage="finetune_lora", error="no memory")
    assert pipeline_run_status(context.tracking, "b")[3:6] == ("FAILED", None, "finetune_lora: no memory")
    run("c", decision="reject")
    assert pipeline_run_status(context.tracking, "c")[3:6] == ("FINISHED", "reject", None)
    assert pipeline_run_status(context.tracking, "d") is None


def test_runs_since_a_time(context, run):
    """Only runs that began then or later, the newest first."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    run("a")
    assert [status.pipeline_run for status in running_since(context.tracking, "toy", before)] == ["a"]
    assert running_since(context.tracking, "toy", datetime.now(UTC) + timedelta(minutes=1)) == []


def test_a_decision_without_evidence_is_named(context, run):
    """A run whose evidence is missing is an error that names the run and the file."""
    run("a", decision="promote")
    with pytest.raises(TrackingError, match=r"pipeline run a.*gate_decision.json"):
        decided_on(last_decided(context.tracking, "toy"))


def test_a_champion_whose_run_is_gone_has_the_day_of_its_version(context, run):
    """Where no decision is left, the day on which the version was made counts."""
    client = run("a").client
    client.create_registered_model("model")
    version = client.create_model_version("model", "file:///nowhere", tags={"plimsoll.pipeline_run": "gone"})
    assert champion_of(context.tracking, "model") is None
    client.set_registered_model_alias("model", "champion", version.version)
    champion = champion_of(context.tracking, "model")
    assert (champion.version, champion.pipeline_run) == ("1", "gone")
    assert abs((champion.decided_on - datetime.now(UTC).date()).days) <= 1
    assert isinstance(champion.decided_on, date)


def test_links_are_for_servers(context):
    """A store on disk has no address to open; a server's run has."""
    server = TrackingConfig(uri="https://mlflow.example.org/")
    assert run_link(server, "3", "abc") == "https://mlflow.example.org/#/experiments/3/runs/abc"
    assert run_link(context.tracking, "3", "abc") is None
    assert experiment_link(context.tracking) is None
