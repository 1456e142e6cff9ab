"""The decision on an adapter: preconditions first, then every category, then the worst of them."""

from collections.abc import Iterator, Sequence
from datetime import date

from components.shared.artifacts.comparison import CategoryDelta
from components.shared.artifacts.decision import CategoryReason, Decision, GateDecision
from components.shared.config.policy import Policy
from components.shared.gate.judge_correction import corrected, judges_of
from components.shared.gate.preconditions import Evidence, broken_preconditions
from components.shared.gate.requirements import requirement_figures
from components.shared.gate.rules import CategoryEvidence, decide_category, decide_floor, decide_task, ungated, worst
from components.shared.gate.waivers import waived
from components.shared.gate.witnesses import witnesses
from components.shared.statistics.exact_tests import holm
from components.shared.vocabulary import TASK_CATEGORY


def decide(evidence: Evidence, policy: Policy, decided_on: date, attempt: int | None = None) -> GateDecision:
    """The decision with a reason per category. Fails closed: what was not shown is not promoted.

    Args:
        evidence: everything that was measured.
        policy: the rules.
        decided_on: the day, UTC; waivers expire.
        attempt: which decided run on this base and task it is.
    """
    problems = broken_preconditions(evidence, policy)
    reasons = [waived(reason, policy, decided_on) for reason in _reasons(evidence, policy)]
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
        decided_on=decided_on,
        nearest_miss=nearest_miss(reasons) if decision is Decision.PROMOTE else None,
        witnesses=() if problems else witnesses(evidence, reasons),
        requirements=requirement_figures(evidence, policy.requirements),
        attempt=attempt,
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


def nearest_miss(reasons: Sequence[CategoryReason]) -> str | None:
    """The gated category whose bound is closest to its limit, in words; None where no limit is about a drop."""
    room = [
        (reason.limit_pp - (reason.judged or reason.delta).upper_pp, reason)
        for reason in reasons
        if reason.decision is Decision.PROMOTE and reason.limit_pp is not None and reason.waived is None
    ]
    if not room:
        return None
    least, reason = min(room, key=lambda item: item[0])
    return f"{reason.category}, {least:.1f} pp inside its limit ({reason.limit})"


def _reasons(evidence: Evidence, policy: Policy) -> Iterator[CategoryReason]:
    deltas, judges = evidence.delta.categories, judges_of(evidence.post_rows)
    gated = [category for category in deltas if category in policy.categories]
    adjusted = dict(zip(gated, holm([deltas[name].mcnemar_p for name in gated]), strict=True))
    for category, delta in deltas.items():
        if category in policy.categories:
            own = _of_category(evidence, policy, delta, adjusted[category], judges.get(category))
            yield decide_category(own, policy.categories[category], policy)
        elif category == TASK_CATEGORY and policy.task_min_gain_pp is not None:
            yield decide_task(delta, policy.task_min_gain_pp, policy.confidence)
        else:
            yield ungated(delta, evidence.delta.noise.get(category))
    for group, floor in policy.floors.items():
        if group in evidence.delta.groups:
            yield decide_floor(evidence.delta.groups[group], floor, policy.confidence)


def _of_category(
    evidence: Evidence, policy: Policy, delta: CategoryDelta, adjusted_p: float, judge: str | None
) -> CategoryEvidence:
    known = judge if policy.judge_error == "correct" else None
    judged = corrected(delta, known, evidence.post.judge_checks, policy.confidence)
    return CategoryEvidence(
        delta=delta,
        adjusted_p=adjusted_p,
        followed_up=[prompt for prompt in evidence.follow_up.prompts if prompt.category == delta.category],
        unconfirmed=evidence.delta.over_budget.get(delta.category, 0),
        judged=judged.delta,
        blind_judge=judged.blind,
        disagreement_pct=evidence.delta.disagreement_pct.get(delta.category),
        noise=evidence.delta.noise.get(delta.category),
    )
