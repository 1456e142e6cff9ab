"""The table that every decision is shown as: in the terminal, in the report, anywhere else."""

from components.shared.artifacts.decision import CategoryReason

COLUMNS = ("category", "prompts", "before", "after", "drop (bounds)", "by chance", "limit", "verdict")


def table_row(reason: CategoryReason) -> tuple[str, ...]:
    """The texts of one category's row, in the order of `COLUMNS`.

    Before and after are shares of passing answers. The drop is in percentage points, positive = fewer pass after, with
    its one-sided lower and upper bound, corrected for the judge's errors where they were measured. "By chance" is how
    far the base alone moves between two runs.
    """
    delta = reason.judged or reason.delta
    word = reason.decision.value if reason.decision is not None else "not gated"
    return (
        delta.category,
        f"{delta.prompts}",
        f"{delta.before_pct:.1f} %",
        f"{delta.after_pct:.1f} %",
        f"{delta.drop_pp:+z.1f} pp ({delta.lower_pp:+z.1f} to {delta.upper_pp:+z.1f})",
        f"±{reason.noise.reach_pp:.1f} pp" if reason.noise is not None else "",
        reason.limit,
        f"{word}, waived" if reason.waived else f"{word}, look at it" if reason.attention else word,
    )
