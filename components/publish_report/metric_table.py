"""The metrics before and after tuning as Markdown: over all categories, and of single categories that changed."""

from collections.abc import Sequence

from components.shared.artifacts.metric_deltas import MetricDelta
from components.shared.texts.shown import markdown_row

_ALL = "all"
_MOVED = 0.5
"""Least change of a single category's metric that is shown, in the metric's unit; the rest is in delta_report.json."""


def metrics_section(metrics: Sequence[MetricDelta]) -> list[str]:
    """The lines of the section: a table over all categories, and one of single categories, most worsened first."""
    overall = [metric for metric in metrics if metric.category == _ALL]
    single = [metric for metric in metrics if metric.category != _ALL and _moved(metric)]
    single.sort(key=lambda metric: (-(metric.worse_by or 0.0), metric.category, metric.name))
    lines = [
        "## What else changed",
        "",
        (
            "The decision does not use these figures; they help to explain it. A change for the worse is marked; "
            "none has an interval."
        ),
        "",
        *_table(overall),
    ]
    if single:
        lines += ["", f"Single categories, where a figure moved by {_MOVED:g} or more:", "", *_table(single)]
    return lines


def _moved(metric: MetricDelta) -> bool:
    return metric.change is None or abs(metric.change) >= _MOVED


def _table(metrics: Sequence[MetricDelta]) -> list[str]:
    rows = [
        markdown_row(
            (
                metric.category,
                metric.name,
                _number(metric.before),
                _number(metric.after),
                _change(metric),
                metric.unit,
            )
        )
        for metric in metrics
    ]
    return ["| category | figure | before | after | change | unit |", "|---|---|---|---|---|---|", *rows]


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def _change(metric: MetricDelta) -> str:
    if metric.change is None:
        return ""
    worse = metric.worse_by is not None and metric.worse_by > 0 and f"{metric.change:.2f}" not in ("0.00", "-0.00")
    return f"{metric.change:+.2f}{' worse' if worse else ''}"
