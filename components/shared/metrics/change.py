"""The change of every metric between two sides; whether it is more than noise is not tested here."""

from collections.abc import Sequence

from components.shared.artifacts.metric_deltas import MetricDelta
from components.shared.artifacts.safety_report import Metric
from components.shared.errors import DataError


def compare(before: Sequence[Metric], after: Sequence[Metric]) -> tuple[MetricDelta, ...]:
    """One delta per metric of either side, matched by name and category: those of `before` first, in its order.

    A metric that only one side has is kept, without a change, so that the reader sees that it is missing.

    Raises:
        DataError: a side has a metric twice, or the two sides give it in different units.
    """
    first, second = _by_key("before", before), _by_key("after", after)
    return tuple(_delta(first.get(key), second.get(key)) for key in dict.fromkeys((*first, *second)))


def _by_key(side: str, metrics: Sequence[Metric]) -> dict[tuple[str, str], Metric]:
    by_key: dict[tuple[str, str], Metric] = {}
    for metric in metrics:
        key = metric.name, metric.category
        if key in by_key:
            raise DataError(
                f"{side}: metric {metric.name!r} of {metric.category!r} occurs twice; measure each side once"
            )
        by_key[key] = metric
    return by_key


def _delta(before: Metric | None, after: Metric | None) -> MetricDelta:
    known = before or after
    assert known is not None  # noqa: S101 - the key is from one of the two sides
    change = worse_by = None
    if before is not None and after is not None:
        if before.unit != after.unit:
            raise DataError(
                f"metric {before.name!r} of {before.category!r} is in {before.unit!r} before and {after.unit!r} after; "
                "measure both sides with one version"
            )
        change = after.value - before.value
        if before.worse == after.worse != "either":
            worse_by = change if after.worse == "up" else before.value - after.value
    return MetricDelta(
        name=known.name,
        category=known.category,
        before=None if before is None else before.value,
        after=None if after is None else after.value,
        change=change,
        worse_by=worse_by,
        unit=known.unit,
    )
