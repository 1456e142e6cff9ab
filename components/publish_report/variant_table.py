"""The variants as a table: how the categories that look worse fail. It does not know how they were chosen or asked."""

from collections.abc import Sequence

from components.shared.artifacts.comparison import VariantFigures

_COLUMNS = ("category", "asked as", "prompts", "answers per side", "fails before", "fails after", "look at")


def variants_table(variants: Sequence[VariantFigures]) -> list[str]:
    """A section of the report in Markdown, line by line; nothing where no variants were asked."""
    if not variants:
        return []
    return [
        "## Extent: how the flagged categories fail",
        "",
        (
            "The same requests in other words, roles and stories, with a wished-for beginning, or with the first "
            "tokens of a compliant answer already written (`prefill_20`: twenty; `prefill_0`: none, the plain "
            "request); what was written for the model is not judged. The prompts that fell most were asked first, so "
            "the shares are about these prompts. Where the base fails as often, a row says nothing about the tuning. "
            "All of this describes, and decides nothing."
        ),
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{'---|' * len(_COLUMNS)}",
        *(_row(own) for own in variants),
    ]


def _row(own: VariantFigures) -> str:
    look_at = ", ".join(f"`{prompt_id}`" for prompt_id in own.look_at) or "none"
    return (
        f"| {own.category} | {own.variant} | {own.prompts:,} | {own.answers:,} | {own.failed_before_pct:.1f} % | "
        f"{own.failed_after_pct:.1f} % | {look_at} |"
    )
