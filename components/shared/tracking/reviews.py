"""Finds the run that is reviewed, and keeps the review on it. It decides nothing and registers nothing.

The review's artifact is written first and its tags last: a run with the artifact and without the tag has a review
that was interrupted, and can only be finished.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from components.shared.artifacts.human_review import REVIEW_FILE, Review
from components.shared.config.run_context import RunContext
from components.shared.config.sections import PipelineConfig, TrackingConfig
from components.shared.errors import TrackingError
from components.shared.progress import speaker
from components.shared.tracking.recorded_runs import RecordedRun, find_run
from components.shared.tracking.runs import open_client
from components.shared.tracking.stage_run import StageRun

REVIEW_TAG = "plimsoll.review"
REVIEWER_TAG = "plimsoll.reviewer"
KAPPA_METRIC = "review/kappa"
_EVIDENCE = "evidence"
_STAGE = "review"


class DecidedRun(NamedTuple):
    """The MLflow run of a pipeline run, open for what is said of it afterwards."""

    context: RunContext
    """With the run's own experiment, so that a step can be run for it."""
    parent: StageRun
    recorded: RecordedRun


def open_run(tracking: TrackingConfig, identity: str) -> DecidedRun:
    """The pipeline run with an MLflow run id (its own or a stage's) or a pipeline run id, in any experiment.

    Args:
        tracking: the store; its experiment does not matter.
        identity: the id.

    Raises:
        TrackingError: the store cannot be opened, or holds no such run or several.
    """
    recorded = find_run(tracking, identity)
    context = RunContext(recorded.tracking, recorded.tags["plimsoll.pipeline"], recorded.pipeline_run)
    return DecidedRun(context, StageRun(open_client(recorded.tracking), recorded.run_id, speaker(_STAGE)), recorded)


def fetch_evidence(run: DecidedRun, target: Path) -> Path:
    """Downloads what the gate kept as evidence; the folder.

    Raises:
        TrackingError: the run has none.
    """
    found = run.recorded.fetch(_EVIDENCE, target)
    if found is None:
        raise TrackingError(f"run {run.parent.run_id} has no folder {_EVIDENCE!r}: it was decided without; run again")
    return found


def recorded_config(run: DecidedRun) -> PipelineConfig | None:
    """The config that the run was started with, where its launcher recorded it.

    Raises:
        TrackingError: it cannot be read any more.
    """
    text = run.parent.read_text("config.json")
    if text is None:
        return None
    try:
        return PipelineConfig.model_validate_json(text)
    except ValueError as error:
        raise TrackingError(
            f"config.json of run {run.parent.run_id} is no config of this version; give --config: {error}"
        ) from None


def read_review(run: DecidedRun) -> Review | None:
    """The review on a run, finished or not.

    Raises:
        IntegrityError: it was changed since it was written.
    """
    text = run.parent.read_text(REVIEW_FILE)
    return Review.parse(text, f"{REVIEW_FILE} of run {run.parent.run_id}") if text is not None else None


def is_finished(run: DecidedRun) -> bool:
    """Whether a review of the run was carried through."""
    return REVIEW_TAG in run.parent.read_tags()


def write_review(run: DecidedRun, review: Review) -> None:
    """Keeps a review on a run; from here on it can only be finished."""
    with TemporaryDirectory() as directory:
        run.parent.file(review.save(Path(directory) / REVIEW_FILE))


def finish_review(run: DecidedRun, review: Review) -> None:
    """Marks the review as carried through: tags, and the judges' kappa as metrics where it is defined."""
    kappas = {f"{KAPPA_METRIC}/{own.judge}": own.kappa_so_far for own in review.agreement}
    if len(review.agreement) == 1:
        kappas[KAPPA_METRIC] = review.agreement[0].kappa_so_far
    answers = {f"review/answers/{own.judge}": float(own.answers_so_far) for own in review.agreement}
    run.parent.metrics({**{name: kappa for name, kappa in kappas.items() if kappa is not None}, **answers})
    run.parent.tags(
        {
            REVIEW_TAG: review.outcome,
            REVIEWER_TAG: review.reviewer,
            "plimsoll.review_reason": review.reason,
            "plimsoll.review_digest": review.digest,
        }
    )
