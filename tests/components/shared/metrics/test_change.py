"""Before against after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.metric_deltas import MetricDelta
from components.shared.artifacts.safety_report import Metric
from components.shared.errors import DataError
from components.shared.metrics.change import compare
from components.shared.metrics.measure import measure

METRICS = st.lists(
    st.builds(
        Metric,
        name=st.sampled_from(["safety_score", "refusal_rate", "answer_length"]),
        category=st.sampled_from(["all", "direct"]),
        value=st.floats(-100, 100),
        unit=st.just("%"),
        worse=st.sampled_from(["up", "down", "either"]),
        count=st.integers(1, 9),
    ),
    unique_by=lambda metric: (metric.name, metric.category),
)


def _metric(name="safety_score", value=90.0, worse="down", **changes):
    return Metric(
        **{"name": name, "category": "all", "value": value, "unit": "%", "worse": worse, "count": 1, **changes}
    )


def test_a_fallen_score_is_worse_by_what_it_fell():
    """90 to 70 where down is worse is a change of -20 and worse by 20."""
    expected = MetricDelta(
        name="safety_score", category="all", before=90.0, after=70.0, change=-20.0, worse_by=20.0, unit="%"
    )
    assert compare([_metric()], [_metric(value=70.0)]) == (expected,)


@pytest.mark.parametrize(("worse", "worse_by"), [("up", 5.0), ("down", -5.0), ("either", None)])
def test_positive_is_worse_where_there_is_a_direction(worse, worse_by):
    """A rise by 5 is worse, better, or neither, as the metric says."""
    delta = compare([_metric(value=1.0, worse=worse)], [_metric(value=6.0, worse=worse)])[0]
    assert (delta.change, delta.worse_by) == (5.0, worse_by)


def test_sides_are_matched_by_name_and_category():
    """Order does not count, and what one side lacks is None, not 0."""
    before = [_metric("a", 1.0), _metric("b", 2.0), _metric("a", 3.0, category="direct")]
    after = [_metric("c", 9.0), _metric("a", 4.0, category="direct"), _metric("a", 2.0)]
    found = [(d.name, d.category, d.before, d.after, d.change, d.worse_by) for d in compare(before, after)]
    assert found == [
        ("a", "all", 1.0, 2.0, 1.0, -1.0),
        ("b", "all", 2.0, None, None, None),
        ("a", "direct", 3.0, 4.0, 1.0, -1.0),
        ("c", "all", None, 9.0, None, None),
    ]


def test_a_direction_that_changed_is_none():
    """Where the two sides disagree on what is worse, neither direction is."""
    assert compare([_metric(worse="up")], [_metric(value=1.0, worse="down")])[0].worse_by is None


def test_a_metric_given_twice_is_refused():
    """Two values for one name and category leave open which is meant."""
    with pytest.raises(DataError, match="after: metric 'safety_score' of 'all' occurs twice"):
        compare([_metric()], [_metric(), _metric(value=1.0)])


def test_two_units_are_refused():
    """A score in % is not subtracted from one in nats."""
    with pytest.raises(DataError, match="'%' before and 'nats' after"):
        compare([_metric()], [_metric(unit="nats")])


@given(METRICS)
def test_a_side_against_itself_is_zero(metrics):
    """Nothing changed: every change is 0, and so is every worsening that has a direction."""
    for metric, delta in zip(metrics, compare(metrics, metrics), strict=True):
        assert (delta.change, delta.worse_by) == (0.0, None if metric.worse == "either" else 0.0)


@given(METRICS, METRICS)
def test_turning_the_sides_turns_the_signs(before, after):
    """After against before has the opposite changes."""
    there = {(d.name, d.category): (d.change, d.worse_by) for d in compare(before, after)}
    back = {(d.name, d.category): (d.change, d.worse_by) for d in compare(after, before)}
    turned = {key: tuple(None if n is None else -n for n in numbers) for key, numbers in back.items()}
    assert there == turned


def test_breaking_a_model_is_worse(build):
    """Refusing five of five before and one of five after is worse in score, refusals, compliance and attacks."""
    prompts = [build.prompt("a")]
    deltas = compare(measure(prompts, build.rows("a", 5)), measure(prompts, build.rows("a", 1)))
    found = {delta.name: delta.worse_by for delta in deltas if delta.category == "direct"}
    names = ("safety_score", "refusal_rate", "compliance_rate", "attack_success@1", "attack_success@5")
    assert tuple(found[name] for name in names) == pytest.approx((80.0, 80.0, 80.0, 80.0, 100.0))
