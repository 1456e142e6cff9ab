"""Fetches what a review is about, and checks before any question that it belongs together.

The decision is compared with the run, its evidence and the audit log; queue and adapter with the decision.
"""

from pathlib import Path
from typing import NamedTuple

from components.shared.artifacts.decision import Decision, GateDecision
from components.shared.artifacts.human_review import (
    QUEUE_FILE,
    REVIEW_FILE,
    QueueItem,
    Review,
    read_queue,
    why_not_approvable,
)
from components.shared.artifacts.safety_report import SafetyReport
from components.shared.artifacts.training_data import AdapterManifest
from components.shared.audit import open_log
from components.shared.config.sections import PipelineConfig, TrackingConfig
from components.shared.digests import short
from components.shared.errors import ConfigError, IntegrityError, TrackingError
from components.shared.generation.adapters import adapter_digest
from components.shared.tracking.reviews import (
    DecidedRun,
    fetch_evidence,
    is_finished,
    open_run,
    read_review,
    recorded_config,
)

DECISION_FILE = "gate_decision.json"


class ReviewCase(NamedTuple):
    """A run whose decision is `needs_review`, and what there is to look at."""

    run: DecidedRun
    config: PipelineConfig
    decision: GateDecision
    queue: tuple[QueueItem, ...]
    evidence: Path
    unfinished: Review | None
    """A review that was written, and stopped before it took effect; None: there is none yet."""


def open_case(name: str, tracking: TrackingConfig, config: PipelineConfig | None, directory: Path) -> ReviewCase:
    """Fetches decision, queue and adapter of a run, and checks that they belong together.

    Args:
        name: MLflow run id or pipeline run id.
        tracking: the store.
        config: of the pipeline; None: the one that the run recorded.
        directory: receives the evidence.

    Raises:
        ConfigError: the run has nothing to review, was reviewed, or is of another pipeline than the config.
        IntegrityError: evidence was changed after the decision.
        TrackingError: the store cannot be used, there is no such run, or it lacks evidence or config.
    """
    run = open_run(tracking, name)
    decision = _decision_to_review(run)
    review = read_review(run)
    if review is not None and review.decision_digest != decision.digest:
        raise IntegrityError(f"{REVIEW_FILE} of run {run.parent.run_id} is about another decision")
    if review is not None and is_finished(run):
        raise ConfigError(f"run {run.context.pipeline_run} was reviewed: {review.summary}")
    config = config or recorded_config(run)
    if config is None:
        raise TrackingError(f"run {run.parent.run_id} recorded no config; name it with --config")
    if config.name != run.context.pipeline:
        raise ConfigError(f"the config is of pipeline {config.name!r}, the run is of {run.context.pipeline!r}")
    evidence = fetch_evidence(run, directory)
    if GateDecision.load(evidence / DECISION_FILE) != decision:
        raise IntegrityError(f"run {run.parent.run_id}: the decision in its evidence is not the run's decision")
    run = _with_audit_log(run, config, tracking)
    _refuse_rewritten(run, decision)
    _refuse_other_adapter(evidence, decision, config)
    return ReviewCase(run, config, decision, read_queue(evidence / QUEUE_FILE, decision), evidence, review)


def refuse_unapprovable(case: ReviewCase) -> None:
    """Refuses a case that no approval could let in.

    Raises:
        ConfigError: it cannot be approved; the message says why.
    """
    if (problem := why_not_approvable(case.decision)) is not None:
        raise ConfigError(f"run {case.run.context.pipeline_run} cannot be approved: {problem}")


def _decision_to_review(run: DecidedRun) -> GateDecision:
    text = run.parent.read_text(DECISION_FILE)
    if text is None:
        raise ConfigError(f"run {run.context.pipeline_run} reached no decision: there is nothing to review")
    decision = GateDecision.parse(text, f"{DECISION_FILE} of run {run.parent.run_id}")
    if decision.decision is not Decision.NEEDS_REVIEW:
        raise ConfigError(
            f"run {run.context.pipeline_run} has nothing to review, its decision is {decision.decision.value!r}: "
            f"{decision.summary}"
        )
    return decision


def _refuse_rewritten(run: DecidedRun, decision: GateDecision) -> None:
    """Compares the decision with the one in the audit log, where that log knows the run."""
    decided = [
        entry.facts.get("decision_digest")
        for entry in open_log(run.context.tracking.audit_log).entries()
        if entry.event == "decided" and entry.pipeline_run == run.context.pipeline_run
    ]
    if decided and decided[-1] != decision.digest:
        raise IntegrityError(
            f"run {run.context.pipeline_run}: its decision {short(decision.digest)} is not the one in the audit log, "
            f"{short(str(decided[-1]))}: it was changed afterwards"
        )


def _refuse_other_adapter(evidence: Path, decision: GateDecision, config: PipelineConfig) -> None:
    digest = adapter_digest(evidence / "adapter")
    if digest != decision.adapter_digest:
        raise IntegrityError(
            f"the adapter in the evidence has digest {short(digest)}, the decision is about "
            f"{short(decision.adapter_digest)}: it was changed afterwards"
        )
    manifest = AdapterManifest.load(evidence / "adapter" / "manifest.json")
    post = SafetyReport.load(evidence / "post" / "safety_report.json")
    if (manifest.digest, post.digest) != (decision.inputs.get("adapter_manifest"), decision.inputs.get("post")):
        raise IntegrityError("the evidence is not what the decision was made from: it was changed afterwards")
    if post.contract.system_prompt != config.evaluation.system_prompt:
        raise ConfigError(
            f"the config has the system prompt {config.evaluation.system_prompt!r}, the adapter was evaluated with "
            f"{post.contract.system_prompt!r}; give the config of this run"
        )


def _with_audit_log(run: DecidedRun, config: PipelineConfig, tracking: TrackingConfig) -> DecidedRun:
    """The run with the config's audit log, the store of the command, and the experiment that the run is in."""
    places = {"uri": tracking.uri, "experiment": run.context.tracking.experiment}
    return run._replace(context=run.context._replace(tracking=config.tracking.model_copy(update=places)))
