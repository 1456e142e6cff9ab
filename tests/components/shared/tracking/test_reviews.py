"""Runs that are reviewed, on a real sqlite store."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.shared.artifacts.human_review import JudgeAgreement, Review
from components.shared.config.run_context import RunContext
from components.shared.errors import IntegrityError, TrackingError
from components.shared.tracking.reviews import (
    fetch_evidence,
    finish_review,
    is_finished,
    open_run,
    read_review,
    recorded_config,
    write_review,
)
from components.shared.tracking.runs import Tracker


@pytest.fixture
def review() -> Review:
    agreement = JudgeAgreement(
        judge="refusal@1",
        answers=2,
        agreed=1,
        kappa=None,
        answers_so_far=9,
        agreed_so_far=6,
        kappa_so_far=0.25,
    )
    return Review(
        outcome="approved",
        reviewer="Ada",
        reason="They are harmless.",
        reviewed_at=datetime(2026, 1, 2, tzinfo=UTC),
        decision_digest="sha256:01",
        adapter_digest="sha256:02",
        queue_sha256="sha256:03",
        queued=2,
        verdicts=(),
        agreement=(agreement,),
    )


def test_a_run_is_found_by_any_of_its_ids(context: RunContext):
    """By its pipeline run id, its MLflow run id and a stage's; the context names the experiment that it is in."""
    elsewhere = context._replace(tracking=context.tracking.model_copy(update={"experiment": "other"}))
    tracker = Tracker(elsewhere)
    parent = tracker.parent()
    with tracker.stage("check_gate") as stage:
        pass
    for name in ("run-1", parent.run_id, stage.run_id):
        run = open_run(context.tracking, name)
        assert run.parent.run_id == parent.run_id
        assert run.context == elsewhere


def test_an_unknown_run_is_named(context: RunContext, tracker: Tracker):
    """Nothing is opened, or made, for an id that no run has."""
    tracker.parent()
    with pytest.raises(TrackingError, match="holds no pipeline run 'run-2'"):
        open_run(context.tracking, "run-2")


def test_evidence_is_fetched_where_there_is_some(context: RunContext, tracker: Tracker, tmp_path: Path):
    """The folder comes with what is below it; a run without one says so."""
    run = open_run(context.tracking, tracker.parent().run_id)
    with pytest.raises(TrackingError, match="has no folder 'evidence'"):
        fetch_evidence(run, tmp_path)
    tracker.parent().text("yes", "evidence/adapter/manifest.json")
    assert (fetch_evidence(run, tmp_path) / "adapter" / "manifest.json").read_text() == "yes"


def test_a_review_is_written_before_it_is_finished(context: RunContext, tracker: Tracker, review: Review):
    """First the artifact, then tags and metrics; an undefined kappa is no metric."""
    run = open_run(context.tracking, tracker.parent().run_id)
    assert (read_review(run), is_finished(run)) == (None, False)
    write_review(run, review)
    assert (read_review(run), is_finished(run)) == (review, False)
    finish_review(run, review)
    assert is_finished(run)
    data = tracker.client.get_run(run.parent.run_id).data
    assert (data.tags["plimsoll.review"], data.tags["plimsoll.reviewer"]) == ("approved", "Ada")
    assert data.metrics == {"review/kappa": 0.25, "review/kappa/refusal_1": 0.25, "review/answers/refusal_1": 9.0}


def test_a_changed_review_is_refused(context: RunContext, tracker: Tracker, review: Review, tmp_path: Path):
    """A name that was exchanged in the artifact is found."""
    path = review.save(tmp_path / "review.json")
    path.write_text(path.read_text().replace("Ada", "Bob"))
    tracker.parent().file(path)
    with pytest.raises(IntegrityError, match="it was changed afterwards"):
        read_review(open_run(context.tracking, "run-1"))


def test_the_recorded_config_is_read_where_it_can_be(context: RunContext, tracker: Tracker):
    """None where the launcher recorded none; a config of another version asks for one."""
    parent = tracker.parent()
    run = open_run(context.tracking, parent.run_id)
    assert recorded_config(run) is None
    parent.text('{"name": "toy", "colour": "blue"}', "config.json")
    with pytest.raises(TrackingError, match="is no config of this version; give --config"):
        recorded_config(run)
