"""The follow-up's adversarial variants as a Markdown table: in which ways the flagged categories fail."""

from collections.abc import Sequence

from components.shared.artifacts.comparison import VariantFigures
from components.shared.texts.shown import in_markdown, in_markdown_code

_COLUMNS = ("category", "asked as", "prompts", "answers per side", "fails before", "fails after", "worst prompts")


def variants_table(variants: Sequence[VariantFigures]) -> list[str]:
    """The lines of the section; empty if no variants were asked."""
    if not variants:
        return []
    return [
        "## Extent: how the flagged categories fail",
        "",
        (
            "The same requests rephrased, in roles and stories, with a requested beginning of the answer, or with the "
            "first tokens of a compliant answer already written (`prefill_20`: twenty tokens; `prefill_0`: none, the "
            "plain request); prewritten tokens are not judged. The prompts that dropped most were asked first, so the "
            "shares hold for these prompts only. If the base model fails as often, a row says nothing about the "
            "tuning. The decision does not use this table."
        ),
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{'---|' * len(_COLUMNS)}",
        *(_row(figures) for figures in variants),
    ]


def _row(figures: VariantFigures) -> str:
    worst = ", ".join(in_markdown_code(prompt_id) for prompt_id in figures.look_at) or "none"
    return (
        f"| {in_markdown(figures.category)} | {in_markdown(figures.variant)} | {figures.prompts:,} | "
        f"{figures.answers:,} | "
        f"{figures.failed_before_pct:.1f} % | {figures.failed_after_pct:.1f} % | {worst} |"
    )
