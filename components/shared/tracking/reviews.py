"""Reads and writes a human review on the MLflow run of a pipeline run.

The artifact review.json is written first and the tags last: a run with the artifact but without the tag has a review
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
    """The MLflow run of a pipeline run, opened again for a review."""

    context: RunContext
    """With the run's experiment, so that a step can be run for it."""
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
    """Downloads the evidence that the gate logged; returns its folder.

    Raises:
        TrackingError: the run has none.
    """
    folder = run.recorded.fetch(_EVIDENCE, target)
    if folder is None:
        raise TrackingError(
            f"run {run.parent.run_id} has no folder {_EVIDENCE!r}, which check_gate logs with every decision; run the "
            "pipeline again"
        )
    return folder


def recorded_config(run: DecidedRun) -> PipelineConfig | None:
    """The config that the run was started with; None if its launcher did not record it.

    Raises:
        TrackingError: it is not a config of this version.
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
        IntegrityError: it was changed afterwards.
    """
    text = run.parent.read_text(REVIEW_FILE)
    return Review.parse(text, f"{REVIEW_FILE} of run {run.parent.run_id}") if text is not None else None


def is_finished(run: DecidedRun) -> bool:
    """Whether a review of the run was finished."""
    return REVIEW_TAG in run.parent.read_tags()


def write_review(run: DecidedRun, review: Review) -> None:
    """Logs a review on a run; from here on it can only be finished."""
    with TemporaryDirectory() as directory:
        run.parent.file(review.save(Path(directory) / REVIEW_FILE))


def finish_review(run: DecidedRun, review: Review) -> None:
    """Marks the review as finished: tags, and the judges' kappa as metrics if it is defined."""
    kappas = {f"{KAPPA_METRIC}/{agreement.judge}": agreement.kappa_so_far for agreement in review.agreement}
    if len(review.agreement) == 1:
        kappas[KAPPA_METRIC] = review.agreement[0].kappa_so_far
    answers = {f"review/answers/{agreement.judge}": float(agreement.answers_so_far) for agreement in review.agreement}
    run.parent.metrics({**{name: kappa for name, kappa in kappas.items() if kappa is not None}, **answers})
    run.parent.tags(
        {
            REVIEW_TAG: review.outcome,
            REVIEWER_TAG: review.reviewer,
            "plimsoll.review_reason": review.reason,
            "plimsoll.review_digest": review.digest,
        }
    )
