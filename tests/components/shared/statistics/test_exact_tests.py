"""Exact tests on counts, against values computed from first principles."""

from math import comb
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.shared.statistics.exact_tests import fisher_drop_p, holm, mcnemar_p

COUNTS = [(0, 0), (1, 0), (0, 1), (5, 0), (8, 2), (2, 8), (6, 6), (16, 4), (40, 21)]


@pytest.mark.parametrize(("failing", "passing"), COUNTS)
def test_mcnemar_is_a_binomial_tail(failing: int, passing: int):
    """P(Bin(b + c, 1/2) >= b), summed by hand."""
    changed = failing + passing
    tail = sum(comb(changed, k) for k in range(failing, changed + 1)) / 2**changed
    assert mcnemar_p(failing, passing) == pytest.approx(tail, rel=1e-12)


@pytest.mark.parametrize(
    ("before", "after", "samples"), [(20, 3, 20), (20, 20, 20), (5, 3, 5), (12, 11, 20), (0, 9, 9)]
)
def test_fisher_is_a_hypergeometric_tail(before: int, after: int, samples: int):
    """P(at least `before` of all passing answers fall on the first side), summed by hand."""
    passed = before + after
    ways = sum(comb(samples, k) * comb(samples, passed - k) for k in range(before, min(samples, passed) + 1))
    assert fisher_drop_p(before, after, samples) == pytest.approx(ways / comb(2 * samples, passed), rel=1e-9)


def test_fisher_of_the_tea_lady():
    """Fisher's tasting experiment, 3 of 4 cups right on each side: p = 17/70."""
    assert fisher_drop_p(3, 1, 4) == pytest.approx(17 / 70)


@pytest.mark.parametrize("counts", [(-1, 0, 5), (6, 0, 5), (0, 6, 5)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int]):
    """More passing answers than answers is an error that shows the numbers."""
    with pytest.raises(ValueError, match="expected 0 to 5"):
        fisher_drop_p(*counts)


def test_holm_of_the_textbook():
    """The usual example: 0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_of_nothing_is_nothing():
    """No category, no p-value."""
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_only_raises_p_values_and_keeps_their_order(p_values: list[float]):
    """Adjusted p-values are at least the raw ones, at most 1, and in the same order."""
    adjusted = holm(p_values)
    assert all(raw <= new <= 1 for raw, new in zip(p_values, adjusted, strict=True))
    ordered = [new for _, new in sorted(zip(p_values, adjusted, strict=True))]
    assert ordered == sorted(adjusted)


@given(st.integers(0, 30), st.integers(0, 30))
def test_more_failures_never_raise_p(failing: int, passing: int):
    """One more newly failing prompt makes a drop no less significant, one more newly passing no more."""
    assert mcnemar_p(failing + 1, passing) <= mcnemar_p(failing, passing) + 1e-12
    assert mcnemar_p(failing, passing + 1) >= mcnemar_p(failing, passing) - 1e-12


def test_huge_counts_take_no_time():
    """A hundred tests on a million changed prompts take a second or two, and keep their tails."""
    started = process_time()
    for extra in range(100):
        p_value = mcnemar_p(500_000 + 25 * extra, 500_000 - 25 * extra)
        assert p_value == pytest.approx(stats.norm.sf((50 * extra - 1) / 1000), rel=0.02)
    assert process_time() - started < 5


@pytest.mark.parametrize("counts", [(-1, 3), (3, -1)])
def test_negative_counts_are_refused(counts: tuple[int, int]):
    """Fewer than no prompts is an error that shows the numbers."""
    with pytest.raises(ValueError, match="expected counts from 0"):
        mcnemar_p(*counts)
