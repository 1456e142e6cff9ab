"""Prints the tables of `plimsoll suites`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from components.shared.digests import short
from pipelines.printing import print_line, print_table

if TYPE_CHECKING:
    from pipelines.suites.resolution import CategoryPlan, CategoryResolution, SuiteSize


def show_suites(rows: "Sequence[CategoryResolution]", confidence: float, absent: Mapping[str, str]) -> None:
    """Prints a row per category, and why any file could not be loaded."""
    if rows:
        print_table(
            "",
            ("suite", "version", "category", "expectation", "judge", "sha256", "prompts", "smallest drop"),
            [
                (
                    row.suite,
                    row.version,
                    row.category,
                    ", ".join(row.expectations),
                    ", ".join(row.judges),
                    short(row.sha256),
                    f"{row.prompts:,}",
                    f"{row.smallest_drop_pp:.1f} pp",
                )
                for row in rows
            ],
            left=6,
        )
        print_line(
            f"smallest drop: what the category can rule out at {100 * confidence:g} % (one-sided) if no prompt "
            "changes, with any number of answers per prompt; `plimsoll suites plan` allows for wavering answers"
        )
    for address, reason in absent.items():
        print_line(f"not loaded: {address}: {reason}")


def show_plan(
    plans: "Sequence[SuiteSize]", asked: "SuiteSize", spread_pp: float, confidence: float, power: float
) -> None:
    """Prints the prompts that each margin needs, with a sentence about the one that was asked for."""
    print_line(
        f"To show that a drop is at most {asked.margin_pp:g} pp at {100 * confidence:g} % (one-sided), when the true "
        f"drop is 0: {asked.least:,} prompts per category if no prompt changes at all; {asked.likely:,} for a chance "
        f"of {100 * power:g} % if an unchanged model wavers by {spread_pp:.1f} pp per prompt."
    )
    print_table(
        "Prompts per category",
        ("margin", "nothing wavers", f"wavers, {100 * power:g} % chance"),
        [(f"{plan.margin_pp:g} pp", f"{plan.least:,}", f"{plan.likely:,}") for plan in plans],
    )


def show_benchmarks(rows: Sequence[Mapping[str, object]]) -> None:
    """Prints a row per benchmark."""
    columns = ("name", "licence", "gating", "measures")
    print_table("", columns, [[str(row[column]) for column in columns] for row in rows], left=len(columns))


def show_support(rows: "Sequence[CategoryPlan]", asked: "SuiteSize") -> None:
    """Prints whether each category supports the margin."""
    print_table(
        f"Does it support {asked.margin_pp:g} pp?",
        ("category", "suites", "supported", "prompts", "to add", "smallest drop"),
        [
            (
                row.category,
                ", ".join(row.suites),
                row.support,
                f"{row.prompts:,}",
                f"{row.missing:,}",
                f"{row.smallest_drop_pp:.1f} pp",
            )
            for row in rows
        ],
        left=3,
    )
