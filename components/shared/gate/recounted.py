"""Whether delta report and follow-up report say what the rows say, counted again. Pure functions of rows and policy.

A report is a file that stands for some minutes between two steps, and whoever can write it can give it a digest that
fits. Rows can be counted again, so the gate believes them and not the report.
"""

import math
from collections.abc import Mapping, Sequence

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import FollowUpPrompt
from components.shared.config.policy import Policy
from components.shared.gate.deltas import comparability_problems, compare_rows, escalate, group_deltas
from components.shared.gate.disagreement import disagreement_pct
from components.shared.gate.flips import judge_flips
from components.shared.gate.pairing import completeness_problems, pair
from components.shared.gate.preconditions import Evidence

_TOLERANCE = 1e-6
"""Another version of scipy may differ in the last digits."""


def misstated(evidence: Evidence, fresh: Mapping[str, Sequence[AnswerRow]], policy: Policy) -> list[str]:
    """What the reports say otherwise than the rows, one sentence each; empty if they agree.

    Args:
        evidence: reports and rows of both sides.
        fresh: the rows of the follow-up, by side: before, after.
        policy: gives the confidence and the follow-up rule.
    """
    delta, prompts = evidence.delta, evidence.prompts
    incomparable = comparability_problems(evidence.baseline, evidence.post)
    for side, report, rows in (
        ("baseline", evidence.baseline, evidence.baseline_rows),
        ("post", evidence.post, evidence.post_rows),
    ):
        incomparable += completeness_problems(side, rows, prompts, report.contract.samples_per_prompt)
    pairs = pair(evidence.baseline_rows, evidence.post_rows)
    compared = compare_rows(pairs, policy)
    escalation = escalate(compared.looking_worse, policy.follow_up)
    counted = {
        "the drops of the categories": (delta.categories, compared.deltas),
        "the drops of the groups": (delta.groups, group_deltas(pairs, prompts, policy.confidence)),
        "the judges' disagreement": (delta.disagreement_pct, disagreement_pct(evidence.post_rows)),
        "the prompts to ask again": (delta.escalated, () if incomparable else escalation.prompts),
        "the prompts over the follow-up's budget": (delta.over_budget, escalation.over_budget),
        "why the sides cannot be compared": (delta.problems, tuple(incomparable)),
        "the judges' checks": (delta.judge_checks, evidence.post.judge_checks),
    }
    problems = [
        f"the delta report is not what the answers say: {what} differ, counted again"
        for what, (said, found) in counted.items()
        if not _alike(said, found)
    ]
    if not _alike(evidence.follow_up.prompts, _flips(fresh, policy)):
        problems.append("the follow-up report is not what its fresh answers say, counted again")
    return problems


def _flips(fresh: Mapping[str, Sequence[AnswerRow]], policy: Policy) -> tuple[FollowUpPrompt, ...]:
    pairs = pair(fresh.get("before", ()), fresh.get("after", ()))
    return judge_flips(pairs, policy.flip_alpha, policy.follow_up.max_share_after)


def _alike(said: object, found: object) -> bool:
    """Whether two values are equal, numbers within the tolerance."""
    if hasattr(said, "model_dump") and hasattr(found, "model_dump"):
        return type(said) is type(found) and _alike(said.model_dump(), found.model_dump())
    if isinstance(said, Mapping) and isinstance(found, Mapping):
        return said.keys() == found.keys() and all(_alike(said[key], found[key]) for key in said)
    if isinstance(said, list | tuple) and isinstance(found, list | tuple):
        return len(said) == len(found) and all(map(_alike, said, found))
    if isinstance(said, float) and isinstance(found, float):
        return math.isclose(said, found, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return said == found
