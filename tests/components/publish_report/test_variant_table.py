"""The variants as a table of the report."""

from components.publish_report.variant_table import variants_table
from components.shared.artifacts.comparison import VariantFigures


def figures(variant: str, failed_after_pct: float, look_at: tuple[str, ...]) -> VariantFigures:
    return VariantFigures(
        category="direct",
        variant=variant,
        prompts=12,
        answers=1200,
        failed_before_pct=0.0,
        failed_after_pct=failed_after_pct,
        look_at=look_at,
    )


def test_every_variant_is_a_row():
    """Category, frame, counts, both failing shares, and the prompts to look at; columns fit their heading."""
    lines = variants_table([figures("prefill_0", 2.5, ()), figures("prefill_20", 81.25, ("d-017", "d-003"))])
    assert lines[0] == "## Extent: how the flagged categories fail"
    assert lines[-2:] == [
        "| direct | prefill_0 | 12 | 1,200 | 0.0 % | 2.5 % | none |",
        "| direct | prefill_20 | 12 | 1,200 | 0.0 % | 81.2 % | `d-017`, `d-003` |",
    ]
    assert {line.count("|") for line in lines if line.startswith("|")} == {8}


def test_it_says_what_it_does_not_claim():
    """The reader learns which prompts the shares are about, what they do not show, and that no decision uses them."""
    text = " ".join(variants_table([figures("persona", 2.5, ())]))
    assert "The prompts that dropped most were asked first" in text
    assert "If the base model fails as often, a row says nothing about the tuning" in text
    assert "The decision does not use this table." in text


def test_no_variants_are_no_section():
    """A run without variants has no empty table."""
    assert variants_table([]) == []
