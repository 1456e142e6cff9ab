"""Prints a policy's rules, and the decisions on simulated runs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from components.shared.artifacts.decision import Decision
from components.shared.config.policy_rules import REFUSALS_AT_LEAST_PCT
from components.shared.digests import short
from pipelines.printing import print_line, print_table

if TYPE_CHECKING:
    from components.shared.config.policy import Policy
    from components.shared.config.policy_rules import Requirement
    from pipelines.policies.policy_rates import Rates, Shares
    from pipelines.policies.simulated_answers import Assumptions

SHOWN = (Decision.PROMOTE, Decision.REJECT, Decision.NEEDS_REVIEW, Decision.INSUFFICIENT_EVIDENCE)
"""The decisions in the order of a cell; a simulated run is never invalid."""


def show_policy(policy: "Policy", tested: Mapping[str, int] | None) -> None:
    """Prints the rules.

    Args:
        policy: the policy to show.
        tested: number of prompts by requirement; None if no suite was named.
    """
    from components.shared.gate.rules import limit_in_short

    print_line(f"policy {policy.name} {policy.version} ({short(policy.digest)}): {policy.description}")
    print_table(
        "",
        ("category", "rule", "limit", "a confirmed new failure"),
        [
            (name, rule.rule, limit_in_short(rule), _new_failure(rule.rule, rule.review_new_failures))
            for name, rule in policy.categories.items()
        ],
        left=4,
    )
    for line in _other_rules(policy):
        print_line(line)
    if policy.requirements:
        heads: tuple[str, ...] = ("requirement", "what is required", "tested by")
        rows: list[tuple[str, ...]] = [(name, rule.text, _tests(rule)) for name, rule in policy.requirements.items()]
        if tested is not None:
            heads = (*heads, "prompts")
            rows = [(*row, f"{tested[row[0]]:,}" if tested[row[0]] else "untested") for row in rows]
        print_table("Requirements", heads, rows, left=3)


def show_rates(
    rates: "Rates", policy: "Policy", prompts: Mapping[str, int], assumptions: "Assumptions", samples: int, seed: int
) -> None:
    """Prints the decisions on each category and on the whole run, and the two errors in one sentence."""
    from components.shared.gate.rules import limit_in_short
    from components.shared.statistics.rates import clopper_pearson

    drops = [drop_pp for drop_pp in next(iter(rates.categories.values())) if drop_pp]
    heads = tuple(f"true {drop_pp:g} pp" for drop_pp in drops)
    print_line(
        f"policy {policy.name} {policy.version}: {rates.runs:,} simulated runs per column, seed {seed}, {samples} "
        f"answers per prompt; {100 * assumptions.wavering:g} % of prompts waver, the judge errs on "
        f"{100 * assumptions.judge_noise:g} % of answers"
    )
    print_line("cells: promote / reject / needs review / insufficient evidence, percent of the runs")
    print_table(
        "Each category alone",
        ("category", "limit", "prompts", "unchanged", *heads),
        [
            (
                name,
                limit_in_short(policy.categories[name].model_copy(update={"min_pass_pct": None})),
                f"{prompts[name]:,}",
                *(cell(shares) for shares in by_drop.values()),
            )
            for name, by_drop in rates.categories.items()
        ],
        left=2,
    )
    print_table(
        "The whole run, if only this category dropped",
        ("category", *heads),
        [(name, *(cell(shares) for shares in by_drop.values())) for name, by_drop in rates.overall.items()],
    )
    print_line(f"the whole run of an unchanged model: {cell(rates.unchanged)}")
    print_line(in_one_sentence(rates))
    none = clopper_pearson(0, rates.runs, sides=1).upper or 0.0
    print_line(
        f"a share of 0 means: below {100 * none:.2g} % (95 % sure). Left out: floors for levels, the task's gain, "
        "preconditions and second judges"
    )


def in_one_sentence(rates: "Rates") -> str:
    """The policy's two errors: an unchanged model is rejected, a large drop is promoted."""
    from pipelines.policies.policy_rates import FALSE_ACCEPT_PP

    accepted = rates.false_accept(FALSE_ACCEPT_PP)
    where = ""
    if accepted.promoted_pct or accepted.passed_pct:
        where = (
            f" ({accepted.category}, where that happens most often; its rule alone lets "
            f"{percent(accepted.passed_pct)} % pass)"
        )
    return (
        f"false reject: an unchanged model is rejected in {percent(rates.false_reject_pct)} % of runs; false accept: a "
        f"true drop of {FALSE_ACCEPT_PP:g} pp is promoted in {percent(accepted.promoted_pct)} %{where}."
    )


def cell(shares: "Shares") -> str:
    """The shares of the four decisions, percent."""
    return " / ".join(percent(shares.get(decision, 0.0)) for decision in SHOWN)


def percent(share: float) -> str:
    """A percentage; with one decimal if it would otherwise read 0 or 100."""
    return f"{share:.1f}" if 0 < share < 1 or 99 < share < 100 else f"{share:.0f}"


def _new_failure(rule: str, review: bool) -> str:
    if rule == "zero_tolerance":
        return "rejects"
    return "asks for review" if review else "counts in the drop"


def _other_rules(policy: "Policy") -> list[str]:
    rule = policy.follow_up
    lines = [f"not gated: {', '.join(policy.ungated)}"] if policy.ungated else []
    floors = {name: rule.min_baseline_pass_pct for name, rule in policy.categories.items()}
    named = "".join(f"{floor:g} % of {name}, " for name, floor in floors.items() if floor is not None)
    lines.append(
        f"the base must pass at least {named}{REFUSALS_AT_LEAST_PCT:g} % of other prompts that must be refused; below "
        "that nothing could be lost, and the decision is invalid"
    )
    if policy.task_min_gain_pp is not None:
        lines.append(f"the task must gain at least {policy.task_min_gain_pp:g} pp")
    if policy.max_over_refusal_pct is not None:
        lines.append(f"at most {policy.max_over_refusal_pct:g} % of harmless requests may go unanswered after tuning")
    if policy.min_adherence_pct is not None:
        lines.append(f"at least {policy.min_adherence_pct:g} % of answers must follow their instructions after tuning")
    lines.append(
        f"comparable where at least {policy.min_coherent_pct:g} % of answers are coherent and at most "
        f"{policy.max_unscored_pct:g} % unscored; judges may disagree about {policy.max_disagreement_pct:g} %"
    )
    lines.append(
        f"attention level {policy.attention_drop_pp:g} pp; a significant drop above {policy.flag_drop_pp:g} pp "
        f"rejects; bounds at {100 * policy.confidence:g} % one-sided; judges' measured errors: {policy.judge_error}"
    )
    lines.append(
        f"follow-up: a prompt that lost {100 * rule.escalate_drop:g} % of its answers gets {rule.samples} fresh ones "
        f"per side, at most {rule.max_prompts} prompts; {rule.variant_answers} answers to variants"
    )
    if policy.waiver is not None:
        about = ", ".join(policy.waiver.categories) or "all categories"
        lines.append(
            f"waived by {policy.waiver.name} from {policy.waiver.granted} until {policy.waiver.expires} where evidence "
            f"is insufficient: {about}; {policy.waiver.reason}"
        )
    if policy.accepted_risk is not None:
        lines.append(f"beyond the bounds: {'; '.join(policy.beyond_bounds)}; {policy.accepted_risk.reason}")
    if policy.locked:
        lines.append("locked: run parameters cannot replace it")
    return lines


def _tests(requirement: "Requirement") -> str:
    selected = " and ".join(
        [
            *([", ".join(requirement.categories)] if requirement.categories else []),
            *(f"{kind}:{value}" for kind, value in requirement.tags.items()),
        ]
    )
    return "; ".join(part for part in (selected, ", ".join(requirement.prompts)) if part)
