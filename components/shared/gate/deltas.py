"""The paired drop of every category, and the prompts to ask again. Pure functions of rows and policy."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from components.shared.artifacts.comparison import CategoryDelta, EscalatedPrompt
from components.shared.artifacts.safety_report import SafetyReport
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy import Policy
from components.shared.config.policy_rules import FollowUpRule
from components.shared.gate.pairing import PromptPair, by_category
from components.shared.statistics.exact_tests import mcnemar_p
from components.shared.statistics.paired import level, paired_drop
from components.shared.statistics.tolerance import above
from components.shared.vocabulary import GROUPS, TASK_CATEGORY


class ComparedRows(NamedTuple):
    """The result of comparing both sides' rows.

    Attributes:
        deltas: the drop of every category, with bounds.
        looking_worse: every prompt whose pass rate fell enough to be asked again.
    """

    deltas: dict[str, CategoryDelta]
    looking_worse: tuple[EscalatedPrompt, ...]


class Escalation(NamedTuple):
    """Prompts to ask again, and by category the number of prompts that the budget left out."""

    prompts: tuple[EscalatedPrompt, ...]
    over_budget: dict[str, int]


def compare_rows(rows: Sequence[PromptPair], policy: Policy) -> ComparedRows:
    """The drop of every category, and the prompts that look worse.

    Args:
        rows: each prompt once, with both sides' verdicts.
        policy: gives the confidence and the follow-up rule.
    """
    return ComparedRows(category_deltas(rows, policy.confidence), looking_worse(rows, policy.follow_up))


def category_deltas(rows: Iterable[PromptPair], confidence: float) -> dict[str, CategoryDelta]:
    """The drop of every category.

    Args:
        rows: each prompt once, with both sides' verdicts.
        confidence: confidence of each one-sided bound.
    """
    return {category: _delta(category, pairs, confidence) for category, pairs in by_category(rows).items()}


def group_deltas(
    rows: Sequence[PromptPair], prompts: Sequence[SuitePrompt], confidence: float
) -> dict[str, CategoryDelta]:
    """The drop over categories: of all prompts that must be answered, and of all with verifiable instructions.

    Args:
        rows: each prompt once, with both sides' verdicts.
        prompts: the same prompts, with their expectations.
        confidence: confidence of each one-sided bound.

    Returns:
        Drops by group; a group without prompts is left out.
    """
    expected = {prompt.id: prompt.expectation for prompt in prompts}
    groups = {}
    for group, expectation in GROUPS.items():
        members = [
            pair for pair in rows if expected.get(pair.prompt_id) is expectation and pair.category != TASK_CATEGORY
        ]
        if members:
            groups[group] = _delta(group, members, confidence)
    return groups


def looking_worse(rows: Iterable[PromptPair], rule: FollowUpRule) -> tuple[EscalatedPrompt, ...]:
    """The safety prompts whose share of passing answers fell by `rule.escalate_drop` or more."""
    return tuple(
        EscalatedPrompt(prompt_id=pair.prompt_id, category=pair.category, drop=pair.drop)
        for pair in rows
        if pair.category != TASK_CATEGORY and not above(rule.escalate_drop, pair.drop)
    )


def escalate(prompts: Sequence[EscalatedPrompt], rule: FollowUpRule) -> Escalation:
    """The prompts to ask again within the follow-up's budget.

    They are taken from the categories in turn, in each the largest drop first, so that one broken category cannot use
    up the whole budget.
    """
    grouped: defaultdict[str, list[EscalatedPrompt]] = defaultdict(list)
    for prompt in sorted(prompts, key=lambda p: (-p.drop, p.prompt_id)):
        grouped[prompt.category].append(prompt)
    ranked = [(rank, prompt) for members in grouped.values() for rank, prompt in enumerate(members)]
    ranked.sort(key=lambda item: (item[0], -item[1].drop, item[1].category, item[1].prompt_id))
    chosen = {prompt.prompt_id for _, prompt in ranked[: rule.max_prompts]}
    kept = tuple(prompt for prompt in prompts if prompt.prompt_id in chosen)
    over_budget = Counter(prompt.category for _, prompt in ranked[rule.max_prompts :])
    return Escalation(kept, dict(over_budget))


def comparability_problems(before: SafetyReport, after: SafetyReport) -> list[str]:
    """Why two reports cannot be compared, one sentence each; empty if they can."""
    problems = []
    if before.contract != after.contract:
        first, second = before.contract.model_dump(), after.contract.model_dump()
        differing = [name for name in first if first[name] != second[name]]
        shown = "; ".join(f"{name}: {first[name]!r} before, {second[name]!r} after" for name in differing)
        problems.append(f"the contracts differ ({shown})")
    if before.coherence_floor != after.coherence_floor:
        problems.append(
            f"the coherence floor is {before.coherence_floor} nats per token before and {after.coherence_floor} after: "
            "run both evaluations on machines of the same kind"
        )
    if before.base_digest != after.base_digest:
        problems.append("the two reports are about different base models")
    if before.adapter_digest is not None:
        problems.append("the baseline was evaluated with an adapter")
    if after.adapter_digest is None:
        problems.append("the post evaluation had no adapter")
    return problems


def _delta(category: str, pairs: Sequence[PromptPair], confidence: float) -> CategoryDelta:
    drop = paired_drop([pair.drop for pair in pairs], confidence)
    before = [pair.passing_share(after=False) for pair in pairs]
    after = [pair.passing_share(after=True) for pair in pairs]
    failing = level([1 - share for share in after], confidence)
    newly_failing = [pair.prompt_id for pair, was, now in zip(pairs, before, after, strict=True) if was > 0.5 >= now]
    newly_passing = [pair.prompt_id for pair, was, now in zip(pairs, before, after, strict=True) if now > 0.5 >= was]
    return CategoryDelta(
        category=category,
        prompts=len(pairs),
        samples=len(pairs[0].before),
        graded_by=pairs[0].grades.by if pairs[0].grades is not None else None,
        before_pct=100 * math.fsum(before) / len(pairs),
        after_pct=100 * math.fsum(after) / len(pairs),
        drop_pp=drop.mean_pp,
        lower_pp=drop.lower_pp,
        upper_pp=drop.upper_pp,
        spread_pp=drop.spread_pp,
        after_lower_pct=100 - failing.upper_pct,
        after_upper_pct=100 - failing.lower_pct,
        mcnemar_p=mcnemar_p(len(newly_failing), len(newly_passing)),
        newly_failing=tuple(sorted(newly_failing)),
        newly_passing=tuple(sorted(newly_passing)),
    )
