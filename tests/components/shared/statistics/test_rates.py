"""The Wilson interval."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.statistics.rates import UNDEFINED, wilson


def test_golden_intervals():
    """8, 0 and 10 of 10 have the intervals of the published formula, worked out by hand for z = 1.959964."""
    assert wilson(8, 10) == pytest.approx((0.8, 0.490162, 0.943318), abs=1e-6)
    assert wilson(0, 10) == pytest.approx((0.0, 0.0, 0.277533), abs=1e-6)
    assert wilson(10, 10) == pytest.approx((1.0, 0.722467, 1.0), abs=1e-6)


def test_nothing_of_nothing_is_undefined():
    """A share of no observation is not 0."""
    assert wilson(0, 0) == UNDEFINED


@pytest.mark.parametrize(
    ("count", "of", "confidence"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0), (1, 2, float("nan"))]
)
def test_wrong_numbers_are_refused(count, of, confidence):
    """A count outside the total, and a confidence that is no probability, are errors."""
    with pytest.raises(ValueError, match="expected"):
        wilson(count, of, confidence)


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_bounds_surround_the_share_and_mirror(pair):
    """The interval has width, lies in [0, 1], holds the share, and that of the rest is its mirror image."""
    count, of = pair
    value, lower, upper = wilson(count, of)
    assert 0 <= lower <= value <= upper <= 1
    assert lower < upper
    mirrored = wilson(of - count, of)
    assert (1 - mirrored.upper, 1 - mirrored.lower) == pytest.approx((lower, upper), abs=1e-12)
