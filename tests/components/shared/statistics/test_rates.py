"""Intervals of a share: Wilson, Clopper and Pearson."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.shared.statistics.rates import UNDEFINED, clopper_pearson, wilson

PAIRS = st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


def test_golden_intervals():
    """8, 0 and 10 of 10 have the intervals of the published formula, worked out by hand for z = 1.959964."""
    assert wilson(8, 10) == pytest.approx((0.8, 0.490162, 0.943318), abs=1e-6)
    assert wilson(0, 10) == pytest.approx((0.0, 0.0, 0.277533), abs=1e-6)
    assert wilson(10, 10) == pytest.approx((1.0, 0.722467, 1.0), abs=1e-6)


def test_nothing_of_nothing_is_undefined():
    """A share of no observation is not 0."""
    assert wilson(0, 0) == UNDEFINED
    assert clopper_pearson(0, 0) == UNDEFINED


@pytest.mark.parametrize(
    ("count", "of", "confidence"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0), (1, 2, float("nan"))]
)
def test_wrong_numbers_are_refused(count, of, confidence):
    """A count outside the total, and a confidence that is no probability, are errors."""
    with pytest.raises(ValueError, match="expected"):
        wilson(count, of, confidence)
    with pytest.raises(ValueError, match="expected"):
        clopper_pearson(count, of, confidence)


@given(PAIRS)
def test_bounds_surround_the_share_and_mirror(pair):
    """The interval has width, lies in [0, 1], holds the share, and that of the rest is its mirror image."""
    count, of = pair
    value, lower, upper = wilson(count, of)
    assert 0 <= lower <= value <= upper <= 1
    assert lower < upper
    mirrored = wilson(of - count, of)
    assert (1 - mirrored.upper, 1 - mirrored.lower) == pytest.approx((lower, upper), abs=1e-12)


@pytest.mark.parametrize(("limit", "needed"), [(0.01, 299), (0.03, 99), (0.05, 59), (0.1, 29)])
def test_the_rule_of_three(limit: float, needed: int):
    """With no failure seen, "at most 1, 3, 5, 10 %" takes 299, 99, 59 and 29 prompts, and not one fewer."""
    assert clopper_pearson(0, needed, sides=1).upper <= limit < clopper_pearson(0, needed - 1, sides=1).upper


def test_golden_exact_intervals():
    """8 of 10 has the tabulated interval; none and all of n have bounds that can be written down."""
    assert clopper_pearson(8, 10) == pytest.approx((0.8, 0.443905, 0.974789), abs=1e-6)
    assert clopper_pearson(0, 20) == pytest.approx((0.0, 0.0, 1 - 0.025 ** (1 / 20)))
    assert clopper_pearson(20, 20) == pytest.approx((1.0, 0.025 ** (1 / 20), 1.0))
    assert clopper_pearson(0, 20, sides=1).upper == pytest.approx(1 - 0.05 ** (1 / 20))
    assert clopper_pearson(20, 20, sides=1).lower == pytest.approx(0.05 ** (1 / 20))
    assert clopper_pearson(1, 1, sides=1) == pytest.approx((1.0, 0.05, 1.0))


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
@given(pair=PAIRS)
def test_a_bound_on_its_own_is_a_bound_of_a_wider_level(interval, pair):
    """One side at 95 % is two sides at 90 %."""
    assert interval(*pair, 0.95, sides=1) == pytest.approx(interval(*pair, 0.9), abs=1e-12)


@given(PAIRS)
def test_exact_bounds_surround_the_share_mirror_and_rise_with_the_count(pair):
    """The exact interval holds the share, mirrors for the rest, and no bound falls when the count rises."""
    count, of = pair
    value, lower, upper = clopper_pearson(count, of)
    assert 0 <= lower <= value <= upper <= 1
    mirrored = clopper_pearson(of - count, of)
    assert (1 - mirrored.upper, 1 - mirrored.lower) == pytest.approx((lower, upper), abs=1e-9)
    if count < of:
        more = clopper_pearson(count + 1, of)
        assert more.lower > lower
        assert more.upper >= upper


@pytest.mark.parametrize("of", [1, 5, 20, 60])
def test_exact_bounds_never_miss_too_often(of: int):
    """Summed over all counts, each one-sided bound misses any true share at most 5 % of the time."""
    counts = np.arange(of + 1)
    bounds = [clopper_pearson(count, of, sides=1) for count in counts.tolist()]
    lower, upper = np.array([interval.lower for interval in bounds]), np.array([interval.upper for interval in bounds])
    for share in np.linspace(0, 1, 201):
        chance = stats.binom.pmf(counts, of, share)
        assert chance[upper < share - 1e-12].sum() <= 0.05 + 1e-9
        assert chance[lower > share + 1e-12].sum() <= 0.05 + 1e-9
