"""What must hold before an adapter is registered: nothing that one person could write alone is believed.

A decision is a file with a digest, and whoever can write the file can compute the digest. So it must also be the
decision that check_gate wrote into the audit log for this very run, the log must be as it was written, and the verifier
must come to the same decision from the evidence.
"""

from collections.abc import Sequence
from pathlib import Path

from components.shared.artifacts.decision import Decision, GateDecision
from components.shared.artifacts.human_review import REVIEW_FILE, Review, why_not_approvable
from components.shared.audit import AuditEntry
from components.shared.config.run_context import RunContext
from components.shared.digests import short
from components.shared.errors import IntegrityError
from components.shared.tracking.recorded_runs import RecordedRun
from components.shared.tracking.runs import Tracker
from components.shared.verification.evidence_files import DECISION_FILE
from components.shared.verification.verifier import verify

_EVIDENCE = "evidence"
_SHOWN = 3
_NOTHING = "nothing was registered"


def review_of(decision: GateDecision, directory: Path) -> Review | None:
    """The review that approves a decision; None for `promote`, which needs none.

    Raises:
        IntegrityError: the decision is not `promote` and no review approves it.
    """
    if decision.decision is Decision.PROMOTE:
        return None
    path = directory / REVIEW_FILE
    if decision.decision is not Decision.NEEDS_REVIEW or not path.exists():
        raise IntegrityError(f"the decision is {decision.decision.value!r}, expected 'promote'; {_NOTHING}")
    review = Review.load(path)
    if review.decision_digest != decision.digest or review.adapter_digest != decision.adapter_digest:
        raise IntegrityError(
            f"the review of {review.reviewer} is about decision {short(review.decision_digest)}, not about "
            f"{short(decision.digest)}; {_NOTHING}"
        )
    if review.outcome != "approved":
        raise IntegrityError(f"{review.reviewer} refused the adapter: {review.reason}; {_NOTHING}")
    if (problem := why_not_approvable(decision)) is not None:
        raise IntegrityError(f"a review cannot let this adapter in: {problem}; {_NOTHING}")
    return review


def refuse_other_candidate(decision: GateDecision, context: RunContext, model_name: str) -> None:
    """Refuses a decision that was made for another run, pipeline or model.

    Raises:
        IntegrityError: it was.
    """
    for what, found, expected in (
        ("pipeline", decision.pipeline, context.pipeline),
        ("run", decision.pipeline_run, context.pipeline_run),
        ("registered model", decision.model_name, model_name),
    ):
        if found != expected:
            raise IntegrityError(
                f"the decision is about {what} {found!r}, this step is about {expected!r}: a decision holds for its "
                f"own run only; {_NOTHING}: run the pipeline again"
            )


def refuse_unrecorded(decision: GateDecision, entries: Sequence[AuditEntry], address: str) -> None:
    """Refuses a decision that is not the last one that the audit log has for its run.

    Args:
        decision: the decision.
        entries: of the whole log.
        address: of the log.

    Raises:
        IntegrityError: the log has another one, or none.
    """
    decided = [entry for entry in entries if entry.event == "decided" and entry.pipeline_run == decision.pipeline_run]
    if not decided:
        raise IntegrityError(
            f"audit log {address}: has no entry `decided` of run {decision.pipeline_run!r}, expected the one that "
            f"check_gate writes with decision {short(decision.digest)}; {_NOTHING}: run the pipeline again, with one "
            "tracking.audit_log for all its steps"
        )
    expected = {
        "decision": decision.decision.value,
        "decision_digest": decision.digest,
        "adapter_digest": decision.adapter_digest,
    }
    facts = decided[-1].facts
    for name, value in expected.items():
        if facts.get(name) != value:
            raise IntegrityError(
                f"the decision has {name} {_shown(value)}, entry {decided[-1].sequence} of the audit log {address} "
                f"says {_shown(facts.get(name, ''))}: it is not the decision that check_gate made; {_NOTHING}"
            )


def refuse_unsupported(decision: GateDecision, tracker: Tracker, scratch: Path) -> None:
    """Refuses a decision to which the evidence on the run does not lead.

    Args:
        decision: the decision.
        tracker: of its run.
        scratch: an empty directory; receives the evidence.

    Raises:
        IntegrityError: the verifier comes to another decision, or finds a changed file.
        TrackingError: the evidence cannot be downloaded.
    """
    context = tracker.context
    run = RecordedRun(context.tracking, tracker.parent().run_id, context.pipeline_run, {})
    folder = run.fetch(_EVIDENCE, scratch)
    if folder is None:
        raise IntegrityError(
            f"MLflow run {run.run_id} has no folder {_EVIDENCE!r}, which check_gate logs with every decision; "
            f"{_NOTHING}: run the pipeline again"
        )
    found, differences = verify(folder)
    if differences:
        more = f"; and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise IntegrityError(
            f"the evidence of run {context.pipeline_run!r} does not lead to its decision: "
            f"{'; '.join(differences[:_SHOWN])}{more}; {_NOTHING}: see `plimsoll verify {context.pipeline_run}`"
        )
    if found != decision.decision.value or GateDecision.load(folder / DECISION_FILE) != decision:
        raise IntegrityError(
            f"the evidence of run {context.pipeline_run!r} leads to the decision {found!r} in its own {DECISION_FILE}, "
            f"the step was given decision {short(decision.digest)}; {_NOTHING}"
        )


def _shown(value: str) -> str:
    return short(value) if value.startswith("sha256:") else repr(value)
