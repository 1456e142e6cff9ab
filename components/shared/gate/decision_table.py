"""The table of a decision, in the terminal and in the report."""

from components.shared.artifacts.decision import CategoryReason

COLUMNS = ("category", "prompts", "before", "after", "drop (bounds)", "noise (95 %)", "limit", "verdict")


def table_row(reason: CategoryReason) -> tuple[str, ...]:
    """The texts of one category's row, in the order of `COLUMNS`.

    Before and after are shares of passing answers. The drop is in percentage points, positive = fewer pass after, with
    its one-sided lower and upper bound, corrected for the judge's errors if they were measured. The noise is how
    far the base alone moves between two runs, in 95 % of cases.
    """
    delta = reason.used
    mark = ", waived" if reason.waived else ", above attention level" if reason.attention else ""
    return (
        delta.category,
        f"{delta.prompts}",
        f"{delta.before_pct:.1f} %",
        f"{delta.after_pct:.1f} %",
        f"{delta.drop_pp:+z.1f} pp ({delta.lower_pp:+z.1f} to {delta.upper_pp:+z.1f})",
        f"±{reason.noise.reach_pp:.1f} pp" if reason.noise is not None else "",
        reason.limit,
        f"{reason.decision_name}{mark}",
    )
