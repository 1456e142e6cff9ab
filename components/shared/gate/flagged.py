"""Which categories look worse: what the follow-up looks into. Pure; it does not know answers or bounds."""

from components.shared.artifacts.comparison import DeltaReport
from components.shared.config.policy import Policy
from components.shared.vocabulary import TASK_CATEGORY

_NOISE_PP = 1e-9
"""Shares are ratios of small counts; a drop of exactly the attention level must not exceed it."""


def flagged_categories(delta: DeltaReport, policy: Policy) -> tuple[str, ...]:
    """Categories with a prompt that looks worse, or with a drop that deserves attention; never the task.

    Args:
        delta: the change of every category; one whose sides cannot be compared flags nothing.
        policy: for `attention_drop_pp`, percentage points.

    Returns:
        Names, sorted. A prompt that the follow-up's budget left out counts too.
    """
    if delta.problems:
        return ()
    looks_worse = {*(escalated.category for escalated in delta.escalated), *delta.over_budget}
    dropped = {
        name for name, change in delta.categories.items() if change.drop_pp > policy.attention_drop_pp + _NOISE_PP
    }
    return tuple(sorted((looks_worse | dropped) - {TASK_CATEGORY}))
