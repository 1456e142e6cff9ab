"""The decision: every category by its rule, then the worst of them; `invalid` if a precondition is broken.

`decide_rows` is the whole sequence on rows: compare, escalate, ask again, judge flips, decide. The graph runs the same
functions in three steps, because asking again needs a GPU: compute_delta, follow_up and check_gate (`decide`).
Everything here is a pure function of rows, figures and policy.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from components.shared.artifacts.comparison import CategoryDelta, EscalatedPrompt, FollowUpPrompt
from components.shared.artifacts.decision import Candidate, CategoryReason, Decision, GateDecision
from components.shared.artifacts.judge_check import QuotedCheck
from components.shared.artifacts.safety_report import NoiseFloor
from components.shared.config.policy import Policy
from components.shared.gate.cautions import cautions_of
from components.shared.gate.deltas import ComparedRows, escalate
from components.shared.gate.flips import judge_flips
from components.shared.gate.judge_correction import corrected, judges_of
from components.shared.gate.pairing import PromptPair
from components.shared.gate.preconditions import Evidence, broken_preconditions
from components.shared.gate.requirements import requirement_figures
from components.shared.gate.rules import CategoryEvidence, decide_category, decide_floor, decide_task, ungated, worst
from components.shared.gate.waivers import waived
from components.shared.gate.witnesses import witnesses
from components.shared.statistics.exact_tests import holm
from components.shared.vocabulary import TASK_CATEGORY

AskAgain = Callable[[Sequence[EscalatedPrompt]], Sequence[PromptPair]]
"""Asks prompts again on both sides and returns the verdicts on the fresh answers."""


class Figures(NamedTuple):
    """The figures that a decision rests on; mappings are by category unless stated otherwise.

    Attributes:
        deltas: the drop of every category.
        flips: fresh answers to each prompt that was asked again, and whether they confirm that it newly fails.
        over_budget: number of prompts that look worse and that the follow-up's budget left out.
        groups: the drop of each group over categories, by group.
        disagreement_pct: percent of answers about which two judges disagree.
        noise: how far the base alone moves between two runs.
        judges: the judge, name@version, that gave most verdicts.
        judge_checks: how far judges agree with people's labels; by judge.
    """

    deltas: Mapping[str, CategoryDelta]
    flips: Sequence[FollowUpPrompt]
    over_budget: Mapping[str, int]
    groups: Mapping[str, CategoryDelta] = MappingProxyType({})
    disagreement_pct: Mapping[str, float] = MappingProxyType({})
    noise: Mapping[str, NoiseFloor] = MappingProxyType({})
    judges: Mapping[str, str] = MappingProxyType({})
    judge_checks: Sequence[QuotedCheck] = ()


class RowsDecision(NamedTuple):
    """The decision on rows, with a reason per category."""

    decision: Decision
    reasons: tuple[CategoryReason, ...]


def decide_rows(
    compared: ComparedRows,
    ask_again: AskAgain,
    policy: Policy,
    decided_on: date,
    *,
    groups: Mapping[str, CategoryDelta] = MappingProxyType({}),
    disagreement_pct: Mapping[str, float] = MappingProxyType({}),
    judges: Mapping[str, str] = MappingProxyType({}),
    judge_checks: Sequence[QuotedCheck] = (),
    problems: Sequence[str] = (),
) -> RowsDecision:
    """The decision on both sides' rows: escalate, ask again, judge flips, decide.

    Args:
        compared: the result of `compare_rows`.
        ask_again: asks the escalated prompts again.
        policy: the rules.
        decided_on: the day (UTC), for the waiver's expiry.
        groups: see `Figures`.
        disagreement_pct: see `Figures`.
        judges: see `Figures`.
        judge_checks: see `Figures`.
        problems: broken preconditions; if there are any, the decision is `invalid`.
    """
    escalation = escalate(compared.looking_worse, policy.follow_up)
    fresh = ask_again(escalation.prompts) if escalation.prompts else ()
    figures = Figures(
        deltas=compared.deltas,
        flips=judge_flips(fresh, policy.flip_alpha, policy.follow_up.max_share_after),
        over_budget=escalation.over_budget,
        groups=groups,
        disagreement_pct=disagreement_pct,
        judges=judges,
        judge_checks=judge_checks,
    )
    reasons = decide_categories(figures, policy, decided_on)
    return RowsDecision(_conclusion(problems, reasons), reasons)


def decide(
    evidence: Evidence,
    policy: Policy,
    candidate: Candidate,
    decided_on: date,
    attempt: int | None = None,
    found: Sequence[str] = (),
) -> GateDecision:
    """The decision on the evidence of a run. It fails closed: what was not shown is not promoted.

    Args:
        evidence: everything that was measured.
        policy: the rules.
        candidate: the run, and the model that its adapter may become a version of.
        decided_on: the day (UTC), for the waiver's expiry.
        attempt: number of this decided run on the same base and task, from 1.
        found: further problems, such as of `misstated`.
    """
    problems = [*found, *broken_preconditions(evidence, policy)]
    delta = evidence.delta
    figures = Figures(
        deltas=delta.categories,
        flips=evidence.follow_up.prompts,
        over_budget=delta.over_budget,
        groups=delta.groups,
        disagreement_pct=delta.disagreement_pct,
        noise=delta.noise,
        judges=judges_of(evidence.post_rows),
        judge_checks=evidence.post.judge_checks,
    )
    reasons = decide_categories(figures, policy, decided_on)
    decision = _conclusion(problems, reasons)
    return GateDecision(
        decision=decision,
        pipeline=candidate.pipeline,
        pipeline_run=candidate.pipeline_run,
        model_name=candidate.model_name,
        problems=tuple(problems),
        reasons=reasons,
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
        cautions=cautions_of(evidence, policy),
        inputs={
            "training_data": evidence.data.digest,
            "prompt_set": evidence.prompt_set.digest,
            "adapter_manifest": evidence.manifest.digest,
            "baseline": evidence.baseline.digest,
            "post": evidence.post.digest,
            "delta": delta.digest,
            "follow_up": evidence.follow_up.digest,
            "policy": policy.digest,
        },
    )


def decide_categories(figures: Figures, policy: Policy, decided_on: date) -> tuple[CategoryReason, ...]:
    """The decision on every category and floor, after the policy's waiver.

    Args:
        figures: the measured figures.
        policy: the rules.
        decided_on: the day (UTC), for the waiver's expiry.
    """
    return tuple(waived(reason, policy, decided_on) for reason in _reasons(figures, policy))


def nearest_miss(reasons: Sequence[CategoryReason]) -> str | None:
    """The gated category whose upper bound is closest to its limit, as text; None if no category has such a limit."""
    room = [
        (reason.limit_pp - reason.used.upper_pp, reason)
        for reason in reasons
        if reason.decision is Decision.PROMOTE and reason.limit_pp is not None and reason.waived is None
    ]
    if not room:
        return None
    least, reason = min(room, key=lambda item: item[0])
    return f"{reason.category}, {least:.1f} pp inside its limit ({reason.limit})"


def _conclusion(problems: Sequence[str], reasons: Sequence[CategoryReason]) -> Decision:
    if problems:
        return Decision.INVALID
    return worst([reason.decision for reason in reasons if reason.decision is not None])


def _reasons(figures: Figures, policy: Policy) -> Iterator[CategoryReason]:
    gated = [category for category in figures.deltas if category in policy.categories]
    adjusted = dict(zip(gated, holm([figures.deltas[name].mcnemar_p for name in gated]), strict=True))
    for category, delta in figures.deltas.items():
        if category in policy.categories:
            evidence = _category_evidence(figures, policy, delta, adjusted[category])
            yield decide_category(evidence, policy.categories[category], policy)
        elif category == TASK_CATEGORY and policy.task_min_gain_pp is not None:
            yield decide_task(delta, policy.task_min_gain_pp, policy.confidence)
        else:
            yield ungated(delta, figures.noise.get(category))
    for group, floor in policy.floors.items():
        if group in figures.groups:
            yield decide_floor(figures.groups[group], floor, policy.confidence)


def _category_evidence(figures: Figures, policy: Policy, delta: CategoryDelta, adjusted_p: float) -> CategoryEvidence:
    category = delta.category
    judge = figures.judges.get(category) if policy.judge_error == "correct" else None
    judged = corrected(delta, judge, figures.judge_checks, policy.confidence)
    return CategoryEvidence(
        delta=delta,
        adjusted_p=adjusted_p,
        followed_up=[prompt for prompt in figures.flips if prompt.category == category],
        unconfirmed=figures.over_budget.get(category, 0),
        judged=judged.delta,
        blind_judge=judged.blind,
        disagreement_pct=figures.disagreement_pct.get(category),
        noise=figures.noise.get(category),
    )
