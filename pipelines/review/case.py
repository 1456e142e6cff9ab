"""The case of a review: a decided run, its queue and its adapter, fetched and found to belong together.

Everything is checked before a person is asked: the decision against the run, its evidence and the audit log, queue
and adapter against the decision. This module changes nothing and asks nobody.
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


class Case(NamedTuple):
    """A decision that asks for a review, and what there is to look at."""

    run: DecidedRun
    config: PipelineConfig
    decision: GateDecision
    queue: tuple[QueueItem, ...]
    evidence: Path
    unfinished: Review | None
    """A review that was written and not carried through."""


def open_case(name: str, tracking: TrackingConfig, config: PipelineConfig | None, directory: Path) -> Case:
    """Fetches decision, queue and adapter of a run, and checks that they belong together.

    Args:
        name: MLflow run id or pipeline run id.
        tracking: the store.
        config: of the pipeline; None: as the run recorded it.
        directory: receives the evidence.

    Raises:
        ConfigError: the run has nothing to review, it was reviewed, or the config is another's.
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
    known = config or recorded_config(run)
    if known is None:
        raise TrackingError(f"run {run.parent.run_id} recorded no config; name it with --config")
    if known.name != run.context.pipeline:
        raise ConfigError(f"the config is of pipeline {known.name!r}, the run is of {run.context.pipeline!r}")
    evidence = fetch_evidence(run, directory)
    if GateDecision.load(evidence / DECISION_FILE) != decision:
        raise IntegrityError(f"run {run.parent.run_id}: the decision in its evidence is not the run's decision")
    own = run._replace(context=run.context._replace(tracking=_tracking(known, run, tracking)))
    _refuse_rewritten(own, decision)
    _refuse_other_adapter(evidence, decision, known)
    return Case(own, known, decision, read_queue(evidence / QUEUE_FILE, decision), evidence, review)


def refuse_unapprovable(case: Case) -> None:
    """Stops an approval that could let nothing in, before anybody reads a queue for it.

    Raises:
        ConfigError: says why.
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
    found = adapter_digest(evidence / "adapter")
    if found != decision.adapter_digest:
        raise IntegrityError(
            f"the adapter in the evidence has digest {short(found)}, the decision is about "
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


def _tracking(config: PipelineConfig, run: DecidedRun, given: TrackingConfig) -> TrackingConfig:
    """The store as it was reached, the experiment of the run, and the config's audit log."""
    return config.tracking.model_copy(update={"uri": given.uri, "experiment": run.context.tracking.experiment})
