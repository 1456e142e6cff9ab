"""Which categories look worse, so that the follow-up asks variants of their prompts."""

from components.shared.artifacts.comparison import DeltaReport
from components.shared.config.policy import Policy
from components.shared.statistics.tolerance import above
from components.shared.vocabulary import TASK_CATEGORY


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
    dropped = {name for name, change in delta.categories.items() if above(change.drop_pp, policy.attention_drop_pp)}
    return tuple(sorted((looks_worse | dropped) - {TASK_CATEGORY}))
