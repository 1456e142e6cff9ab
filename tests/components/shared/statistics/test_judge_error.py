"""Drops measured by a judge that errs."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from components.shared.statistics.judge_error import JudgeError, corrected_drop, youden
from components.shared.statistics.paired import Drop, paired_drop
from components.shared.statistics.rates import clopper_pearson

GOOD = JudgeError(caught=45, failing=50, cleared=48, passing=50)
LABELS = st.integers(1, 300).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))
JUDGES = st.builds(lambda failing, passing: JudgeError(*failing, *passing), LABELS, LABELS)
FIFTHS = st.integers(-5, 5).map(lambda fifths: fifths / 5)
DROPS = st.lists(FIFTHS, min_size=1, max_size=60).map(paired_drop)


def test_youden_by_hand():
    """J is 45/50 + 48/50 - 1, and its bounds join those of both shares by squaring and adding."""
    sensitivity, specificity = clopper_pearson(45, 50, sides=1), clopper_pearson(48, 50, sides=1)
    value, lower, upper = youden(GOOD)
    assert value == pytest.approx(0.86)
    assert lower == pytest.approx(0.86 - math.hypot(0.9 - sensitivity.lower, 0.96 - specificity.lower))
    assert upper == pytest.approx(0.86 + math.hypot(sensitivity.upper - 0.9, specificity.upper - 0.96))


def test_the_true_drop_is_the_seen_one_over_j():
    """A drop of 4.3 pp seen by a judge with J = 0.86 is one of 5 pp, and the spread grows alike."""
    corrected = corrected_drop(Drop(100, 4.3, 1.0, 8.0, 20.0), GOOD, 0.95)
    assert corrected.mean_pp == pytest.approx(5.0)
    assert corrected.spread_pp == pytest.approx(20 / 0.86)
    assert corrected.prompts == 100


def test_the_bounds_solve_their_equation():
    """Where the interval reaches over 0, each bound R has R J - D = sqrt((D - bound)² + R² (J - J's lower bound)²)."""
    drop = Drop(100, 2.0, -1.5, 6.0, 20.0)
    corrected = corrected_drop(drop, GOOD, 0.95)
    share, lowest, _ = youden(GOOD)
    for ratio, bound in ((corrected.upper_pp, 6.0), (corrected.lower_pp, -1.5)):
        assert abs(ratio * share - 2.0) == pytest.approx(math.hypot(2.0 - bound, ratio * (share - lowest)))


def test_a_known_judge_only_divides():
    """With a million labels J is known, so that mean and bounds are those seen over J."""
    sure = JudgeError(900_000, 1_000_000, 900_000, 1_000_000)
    assert corrected_drop(Drop(100, 2.0, -1.0, 6.0, 20.0), sure, 0.95) == pytest.approx(
        (100, 2.5, -1.25, 7.5, 25), rel=2e-3
    )
    assert corrected_drop(Drop(100, 4.0, 2.0, 6.0, 20.0), sure, 0.95) == pytest.approx((100, 5, 2.5, 7.5, 25), rel=2e-3)


def test_a_perfect_record_of_few_labels_still_widens():
    """A judge that was right on 20 and 20 answers may still err: bounds grow, the more the larger the drop."""
    perfect = JudgeError(20, 20, 20, 20)
    ratios = []
    for failing in (0, 5, 20):
        drop = paired_drop([1.0] * failing + [0.0] * (100 - failing))
        corrected = corrected_drop(drop, perfect, 0.95)
        assert corrected.mean_pp == drop.mean_pp
        ratios.append(corrected.upper_pp / drop.upper_pp)
    assert 1.01 < ratios[0] < ratios[1] < ratios[2]


@pytest.mark.parametrize(
    "judge", [JudgeError(5, 10, 5, 10), JudgeError(3, 10, 5, 10), JudgeError(0, 0, 10, 10), JudgeError(10, 10, 0, 0)]
)
def test_a_judge_that_tells_nothing_corrects_nothing(judge: JudgeError):
    """A guesser, one worse than that, and one without labels of a kind give no drop."""
    assert corrected_drop(Drop(100, 2.0, -1.0, 5.0, 20.0), judge, 0.95) is None


@pytest.mark.parametrize("judge", [JudgeError(6, 5, 5, 5), JudgeError(5, 5, -1, 5)])
def test_impossible_counts_are_refused(judge: JudgeError):
    """More caught than labelled is an error."""
    with pytest.raises(ValueError, match="expected a count"):
        corrected_drop(Drop(100, 2.0, -1.0, 5.0, 20.0), judge, 0.95)


@given(DROPS, JUDGES, st.sampled_from([0.8, 0.95, 0.99]))
def test_a_judge_error_never_makes_a_gate_laxer(drop: Drop, judge: JudgeError, confidence: float):
    """The corrected upper bound is at least the seen one, and bounds contain the corrected drop."""
    corrected = corrected_drop(drop, judge, confidence)
    assume(corrected is not None)
    assert corrected.upper_pp >= drop.upper_pp
    assert -100 <= corrected.lower_pp <= corrected.mean_pp + 1e-9
    assert corrected.mean_pp - 1e-9 <= corrected.upper_pp <= 100
    if drop.mean_pp >= 0:
        assert corrected.mean_pp >= drop.mean_pp


@given(st.lists(FIFTHS, min_size=1, max_size=60), st.integers(0, 10_000), st.floats(0, 1), JUDGES)
def test_a_worse_prompt_lowers_no_corrected_bound(values: list[float], which: int, step: float, judge: JudgeError):
    """Raising one difference lowers neither bound of the corrected drop."""
    place = which % len(values)
    worse = values.copy()
    worse[place] += step * (1 - worse[place])
    first, second = (corrected_drop(paired_drop(differences), judge, 0.95) for differences in (values, worse))
    assume(first is not None)
    assert second.upper_pp >= first.upper_pp - 1e-9
    assert second.lower_pp >= first.lower_pp - 1e-9


@given(DROPS, JUDGES)
def test_a_missed_failure_in_the_labels_never_lowers_the_upper_bound(drop: Drop, judge: JudgeError):
    """A judge that recognised one failing answer fewer gives an upper bound at least as high, or none."""
    assume(judge.caught > 0)
    first = corrected_drop(drop, judge, 0.95)
    second = corrected_drop(drop, judge._replace(caught=judge.caught - 1), 0.95)
    if first is None:
        assert second is None
    elif second is not None:
        assert second.upper_pp >= first.upper_pp - 1e-9


@cache
def _drop(failing: int, passing: int, unchanged: int) -> Drop:
    return paired_drop([1.0] * failing + [-1.0] * passing + [0.0] * unchanged)


@cache
def _corrected(failing: int, passing: int, unchanged: int, judge: JudgeError) -> Drop | None:
    return corrected_drop(_drop(failing, passing, unchanged), judge, 0.95)


@pytest.mark.parametrize(
    ("prompts", "labels", "sensitivity", "specificity"),
    [(50, 20, 0.7, 0.95), (50, 60, 0.9, 0.9), (50, 200, 0.95, 0.99), (200, 20, 0.9, 0.9), (200, 60, 0.7, 0.95)],
)
@pytest.mark.parametrize("drop", [0.0, 0.03, 0.1, 0.2])
def test_corrected_bounds_cover(prompts: int, labels: int, sensitivity: float, specificity: float, drop: float):
    """Over 1,000 runs with fresh labels each, either 95 % bound misses the true drop 5 % of the time or less.

    5 % of prompts fail before; the judge errs independently before and after. Without a correction the upper bound
    would miss far more often. The tolerance is the 99.9 % point of the binomial.
    """
    runs = 1000
    draw = np.random.default_rng([prompts, labels, round(100 * drop)])
    before = draw.random((runs, prompts)) < 0.05
    after = before | (draw.random((runs, prompts)) < drop / 0.95)
    seen = [np.where(side, draw.random(side.shape) < sensitivity, draw.random(side.shape) >= specificity)
            for side in (before, after)]  # fmt: skip
    failing, passing = (seen[1] & ~seen[0]).sum(1), (seen[0] & ~seen[1]).sum(1)
    caught, cleared = draw.binomial(labels, sensitivity, runs), draw.binomial(labels, specificity, runs)
    missed = np.zeros(2)
    for b, c, right, clear in zip(*(counts.tolist() for counts in (failing, passing, caught, cleared)), strict=True):
        bounds = _corrected(b, c, prompts - b - c, JudgeError(right, labels, clear, labels))
        if bounds is not None:
            missed += [bounds.upper_pp < 100 * drop - 1e-9, bounds.lower_pp > 100 * drop + 1e-9]
    assert missed.max() <= stats.binom.ppf(0.999, runs, 0.05)
