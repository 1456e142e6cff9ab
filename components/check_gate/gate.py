"""The decision on an adapter: preconditions first, then every category, then the worst of them."""

from components.check_gate.preconditions import Evidence, broken_preconditions
from components.check_gate.rules import (
    CategoryEvidence,
    decide_category,
    decide_task,
    ungated,
    worst,
)
from components.shared.artifacts.decision import CategoryReason, Decision, GateDecision
from components.shared.config.policy import TASK_CATEGORY, Policy
from components.shared.statistics.exact import holm


def decide(evidence: Evidence, policy: Policy) -> GateDecision:
    """The decision with a reason per category. Fails closed: what was not shown is not promoted."""
    problems = broken_preconditions(evidence, policy)
    reasons = _reasons(evidence, policy)
    if problems:
        decision = Decision.INVALID
    else:
        decision = worst([reason.decision for reason in reasons if reason.decision is not None])
    return GateDecision(
        decision=decision,
        problems=tuple(problems),
        reasons=tuple(reasons),
        policy_name=policy.name,
        policy_version=policy.version,
        policy_digest=policy.digest,
        adapter_digest=evidence.adapter_digest,
        contract_digest=evidence.post.contract.digest,
        confidence=policy.confidence,
        inputs={
            "training_data": evidence.data.digest,
            "prompt_set": evidence.prompt_set.digest,
            "adapter_manifest": evidence.manifest.digest,
            "baseline": evidence.baseline.digest,
            "post": evidence.post.digest,
            "delta": evidence.delta.digest,
            "follow_up": evidence.follow_up.digest,
            "policy": policy.digest,
        },
    )


def _reasons(evidence: Evidence, policy: Policy) -> list[CategoryReason]:
    deltas = evidence.delta.categories
    gated = [category for category in deltas if category in policy.categories]
    adjusted = dict(zip(gated, holm([deltas[name].mcnemar_p for name in gated]), strict=True))
    reasons = []
    for category, delta in deltas.items():
        if category in policy.categories:
            followed = [p for p in evidence.follow_up.prompts if p.category == category]
            own = CategoryEvidence(
                delta=delta,
                adjusted_p=adjusted[category],
                followed_up=followed,
                unconfirmed=evidence.delta.over_budget.get(category, 0),
            )
            reasons.append(decide_category(own, policy.categories[category], policy))
        elif category == TASK_CATEGORY and policy.task_min_gain_pp is not None:
            reasons.append(decide_task(delta, policy.task_min_gain_pp, policy.confidence))
        else:
            reasons.append(ungated(delta))
    return reasons
