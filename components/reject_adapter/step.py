"""Records a decision against the adapter on its MLflow run and in the audit log; registers no model version."""

from pathlib import Path

from components.shared.artifacts.decision import Decision, GateDecision, Rejection
from components.shared.audit import record
from components.shared.config.run_context import RunContext
from components.shared.errors import IntegrityError
from components.shared.tracking.runs import Tracker

STAGE = "reject_adapter"


def reject_adapter(decision_dir: Path, rejection_dir: Path, context: RunContext) -> Rejection:
    """Writes rejection.json, and logs decision and reason.

    Args:
        decision_dir: directory with gate_decision.json; any decision but `promote`.
        rejection_dir: directory to write rejection.json to.
        context: the pipeline run.

    Raises:
        IntegrityError: the decision is `promote`.
    """
    tracker = Tracker(context)
    with tracker.stage(STAGE) as stage:
        decision = GateDecision.load(decision_dir / "gate_decision.json")
        if decision.decision is Decision.PROMOTE:
            raise IntegrityError("the decision is 'promote'; an adapter that passed is not rejected")
        rejection = Rejection(
            decision=decision.decision,
            summary=decision.summary,
            adapter_digest=decision.adapter_digest,
            decision_digest=decision.digest,
            inputs={"gate_decision": decision.digest},
        )
        stage.file(rejection.save(rejection_dir / "rejection.json"))
        stage.file(decision_dir / "gate_decision.json")
        stage.tags({"plimsoll.decision": decision.decision.value, "plimsoll.reason": decision.summary})
        facts = {
            "decision": decision.decision.value,
            "decision_digest": decision.digest,
            "adapter_digest": decision.adapter_digest,
        }
        stage.tags(record(context, "rejected", decision.summary, facts).tags)
        stage.say(f"{decision.decision.value}: no version is registered; the evidence is on the run")
    return rejection
