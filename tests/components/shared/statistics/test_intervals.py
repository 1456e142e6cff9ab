"""Intervals of a paired difference of proportions, against published numbers."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.shared.statistics.intervals import PairedTable, newcombe, tango
from components.shared.statistics.rates import UNDEFINED, Estimate

PUBLISHED = PairedTable(59, 6, 16, 80)
COUNT = st.integers(0, 60)
TABLES = st.builds(PairedTable, COUNT, COUNT, COUNT, COUNT).filter(lambda table: table.prompts > 0)
METHODS = pytest.mark.parametrize("method", [tango, newcombe])


def test_the_published_table():
    """[[59, 6], [16, 80]], 161 pairs: Tango's interval is -0.1240 to -0.0054, Newcombe's -0.1186 to -0.0046."""
    assert tango(PUBLISHED) == pytest.approx((-10 / 161, -0.1240, -0.0054), abs=5e-5)
    assert newcombe(PUBLISHED) == pytest.approx((-10 / 161, -0.1186, -0.0046), abs=5e-5)


def test_the_row_is_before_and_passing_comes_first():
    """Newly failing prompts raise the drop: it is the first row's share less the first column's."""
    assert tango(PUBLISHED).value == pytest.approx((59 + 6) / 161 - (59 + 16) / 161)
    assert tango(PairedTable(59, 16, 6, 80)).value > 0


@METHODS
def test_one_sided_bounds_are_those_of_a_wider_level(method):
    """Each one-sided bound at 95 % is a bound of the two-sided interval at 90 %."""
    assert method(PUBLISHED, 0.95, sides=1) == pytest.approx(method(PUBLISHED, 0.9))


@pytest.mark.parametrize("prompts", [1, 10, 100])
def test_no_change_leaves_width(prompts: int):
    """Where nothing changed Tango's bounds are z²/(n + z²) on both sides, and so are Newcombe's where all passed."""
    reach = stats.norm.ppf(0.975) ** 2 / (prompts + stats.norm.ppf(0.975) ** 2)
    table = PairedTable(prompts, 0, 0, 0)
    assert tango(table) == pytest.approx((0, -reach, reach))
    assert newcombe(table) == pytest.approx((0, -reach, reach))
    assert tango(PairedTable(0, 0, 0, prompts)) == pytest.approx((0, -reach, reach))


@METHODS
@pytest.mark.parametrize("prompts", [1, 10, 100])
def test_all_newly_failing_is_a_drop_of_one(method, prompts: int):
    """Where every prompt newly fails the upper bound is 1 and the lower one below it."""
    value, lower, upper = method(PairedTable(0, prompts, 0, 0))
    assert (value, upper) == (1.0, 1.0)
    assert lower < 1


def test_tango_solves_its_own_equation():
    """At each bound the likelihood ratio's constrained maximum, found by search, gives a score of z."""
    _, failing, passing, _ = PUBLISHED
    n, z = PUBLISHED.prompts, stats.norm.ppf(0.975)
    for bound in tango(PUBLISHED)[1:]:
        shares = np.linspace(max(0.0, -bound), (1 - bound) / 2, 2_000_001)[1:-1]
        rest = 1 - 2 * shares - bound
        likelihood = (
            failing * np.log(shares + bound) + passing * np.log(shares) + (n - failing - passing) * np.log(rest)
        )
        share = shares[np.argmax(likelihood)]
        score = (failing - passing - n * bound) / math.sqrt(n * (2 * share + bound * (1 - bound)))
        assert abs(score) == pytest.approx(z, abs=1e-4)


@METHODS
@given(table=TABLES, confidence=st.floats(0.5, 0.999))
def test_bounds_hold_the_drop_and_mirror(method, table: PairedTable, confidence: float):
    """Bounds surround the drop within [-1, 1], and swapping before and after mirrors them."""
    value, lower, upper = method(table, confidence)
    assert -1 <= lower <= value + 1e-12
    assert value - 1e-12 <= upper <= 1
    swapped = method(
        PairedTable(table.both_pass, table.newly_passing, table.newly_failing, table.both_fail), confidence
    )
    assert (-swapped.upper, -swapped.lower) == pytest.approx((lower, upper), abs=1e-9)


@given(table=TABLES.filter(lambda table: table.both_pass > 0))
def test_a_newly_failing_prompt_lowers_no_bound_of_tango(table: PairedTable):
    """One passing prompt that fails now lowers neither bound."""
    worse = PairedTable(table.both_pass - 1, table.newly_failing + 1, table.newly_passing, table.both_fail)
    first, second = tango(table), tango(worse)
    assert second.lower >= first.lower - 1e-9
    assert second.upper >= first.upper - 1e-9


@METHODS
@given(table=TABLES, confidence=st.floats(0.5, 0.98))
def test_more_confidence_never_narrows(method, table: PairedTable, confidence: float):
    """A higher confidence gives bounds that are at least as wide."""
    narrow, wide = method(table, confidence), method(table, confidence + 0.01)
    assert wide.lower <= narrow.lower + 1e-9
    assert wide.upper >= narrow.upper - 1e-9


@METHODS
def test_nothing_and_nonsense(method):
    """No prompt is undefined; negative counts and a confidence of 1 are refused."""
    assert method(PairedTable(0, 0, 0, 0)) == UNDEFINED
    with pytest.raises(ValueError, match="negative count"):
        method(PairedTable(5, -1, 0, 0))
    with pytest.raises(ValueError, match="confidence"):
        method(PUBLISHED, 1.0)


@cache
def _tango(failing: int, passing: int, rest: int) -> Estimate:
    return tango(PairedTable(rest, failing, passing, 0))


@pytest.mark.parametrize("prompts", [20, 50])
def test_tango_covers_about_as_often_as_it_says(prompts: int):
    """Summed over all tables, 95 % intervals hold drops of 0 to 20 pp with a probability of 93 to 99 %."""
    tables = [(b, c, prompts - b - c) for b in range(prompts + 1) for c in range(prompts + 1 - b)]
    bounds = np.array([_tango(*table)[1:] for table in tables])
    covered = []
    for passing in (0.02, 0.05, 0.1, 0.2):
        for drop in (0.0, 0.03, 0.05, 0.1, 0.2):
            chance = stats.multinomial.pmf(tables, prompts, [passing + drop, passing, 1 - drop - 2 * passing])
            covered.append(chance[(bounds[:, 0] <= drop + 1e-9) & (bounds[:, 1] >= drop - 1e-9)].sum())
    assert min(covered) >= 0.93
    assert 0.945 <= np.mean(covered) <= 0.97


@pytest.mark.parametrize(("prompts", "drop", "passing"), [(20, 0.05, 0.05), (50, 0.1, 0.05), (100, 0.03, 0.1)])
def test_newcombe_covers_about_as_often_as_it_says(prompts: int, drop: float, passing: float):
    """Of 2,000 simulated tables where 80 % pass before, 93 % or more have the true drop inside the 95 % interval.

    The tolerance is the 0.1 % point of the binomial at 94 %, so that the seed is not what decides.
    """
    failing = passing + drop
    shares = [0.8 - failing, failing, passing, 0.2 - passing]
    drawn = np.random.default_rng(prompts).multinomial(prompts, shares, size=2000)
    bounds = [newcombe(PairedTable(*own)) for own in drawn.tolist()]
    inside = sum(own.lower <= drop <= own.upper for own in bounds)
    assert inside >= stats.binom.ppf(0.001, 2000, 0.94)
