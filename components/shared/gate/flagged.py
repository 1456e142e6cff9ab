"""The categories that look worse: the follow-up asks variants of their prompts."""

from components.shared.artifacts.comparison import DeltaReport
from components.shared.config.policy import Policy
from components.shared.statistics.tolerance import above
from components.shared.vocabulary import TASK_CATEGORY


def flagged_categories(delta: DeltaReport, policy: Policy) -> tuple[str, ...]:
    """Categories with a prompt that looks worse, or with a drop above the attention level; never the task.

    Args:
        delta: the drop of every category; if its sides cannot be compared, no category is flagged.
        policy: gives the attention level (`attention_drop_pp`).

    Returns:
        Names, sorted. Prompts that the follow-up's budget left out count too.
    """
    if delta.problems:
        return ()
    looks_worse = {*(escalated.category for escalated in delta.escalated), *delta.over_budget}
    dropped = {name for name, change in delta.categories.items() if above(change.drop_pp, policy.attention_drop_pp)}
    return tuple(sorted((looks_worse | dropped) - {TASK_CATEGORY}))
