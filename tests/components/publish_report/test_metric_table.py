"""The part of the report that says what else changed."""

from components.publish_report.metric_table import metrics_section
from components.shared.artifacts.metric_deltas import MetricDelta


def delta(name: str, category: str, before: float | None, after: float | None, worse: int = 1) -> MetricDelta:
    change = None if before is None or after is None else after - before
    return MetricDelta(
        name=name,
        category=category,
        before=before,
        after=after,
        change=change,
        worse_by=None if change is None or not worse else worse * change,
        unit="%",
    )


def rows(*metrics: MetricDelta) -> list[str]:
    return [line for line in metrics_section(metrics) if line.startswith("| ") and not line.startswith("| category")]


def test_figures_over_all_categories_are_always_shown():
    """Also those that did not move, in the order measured; a worse change is marked."""
    shown = rows(
        delta("refusal_rate", "all", 90.0, 70.0, worse=-1),
        delta("safety_score", "all", 95.0, 95.001, worse=1),
        delta("answer_length", "all", 10.0, 12.0, worse=0),
    )
    assert shown == [
        "| all | refusal_rate | 90.00 | 70.00 | -20.00 worse | % |",
        "| all | safety_score | 95.00 | 95.00 | +0.00 | % |",
        "| all | answer_length | 10.00 | 12.00 | +2.00 | % |",
    ]


def test_single_categories_are_shown_where_they_moved_the_worst_first():
    """A hundred still figures would hide the one that matters."""
    shown = rows(
        delta("a", "direct", 5.0, 6.0), delta("b", "direct", 5.0, 25.0), delta("c", "bias", 5.0, 5.1),
        delta("d", "bias", 50.0, 40.0),
    )  # fmt: skip
    assert [line.split(" | ")[1] for line in shown] == ["b", "a", "d"]


def test_a_figure_that_one_side_does_not_have_is_shown_without_a_change():
    """Only the tuned side diverges from the base: `none` is not 0."""
    shown = rows(delta("probe/kl_first_tokens", "harmful", None, 2.0))
    assert shown == ["| harmful | probe/kl_first_tokens | none | 2.00 |  | % |"]
