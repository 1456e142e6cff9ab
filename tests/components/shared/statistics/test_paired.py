"""Paired drops, their bounds, and how many prompts a limit needs."""

import math
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.check_gate.rules import CategoryEvidence, decide_category
from components.compute_delta.deltas import category_deltas
from components.shared.artifacts.answers import Verdict
from components.shared.artifacts.decision import Decision
from components.shared.config.policy import CategoryRule
from components.shared.evaluation.pairing import PromptPair
from components.shared.statistics.paired import paired_drop, prompts_needed

FIFTHS = st.integers(-5, 5).map(lambda fifths: fifths / 5)
DIFFERENCES = st.lists(FIFTHS, min_size=1, max_size=60)


@pytest.mark.parametrize(("prompts", "upper_pp"), [(12, 21.40), (50, 5.25), (100, 2.634), (200, 1.320)])
def test_no_change_leaves_about_the_rule_of_three(prompts: int, upper_pp: float):
    """Where nothing changed the bound is (1 + t) / (n + 1): 2.63 pp for 100 prompts."""
    drop = paired_drop([0.0] * prompts)
    assert drop.upper_pp == pytest.approx(upper_pp, abs=0.01)
    assert drop.upper_pp == pytest.approx(100 * (1 + stats.t.ppf(0.95, prompts)) / (prompts + 1))
    assert drop.lower_pp == -drop.upper_pp
    assert (drop.mean_pp, drop.spread_pp) == (0, 0)


def test_the_bound_is_a_t_bound_with_one_prompt_more():
    """The upper bound written out: mean and standard error of the values and one fictitious 1."""
    values = [0.2, 0.0, 0.0, 0.4, -0.2, 0.0, 1.0, 0.0]
    padded = [*values, 1.0]
    by_hand = fmean(padded) + stats.t.ppf(0.9, 8) * stdev(padded) / math.sqrt(9)
    drop = paired_drop(values, 0.9)
    assert drop.upper_pp == pytest.approx(100 * by_hand)
    assert drop.mean_pp == pytest.approx(100 * fmean(values))
    assert drop.spread_pp == pytest.approx(100 * stdev(values))


@given(DIFFERENCES, st.floats(0.51, 0.999))
def test_bounds_contain_the_mean_and_are_finite(values: list[float], confidence: float):
    """Lower <= mean <= upper, all of them possible drops."""
    drop = paired_drop(values, confidence)
    assert -100 <= drop.lower_pp <= drop.mean_pp + 1e-9
    assert drop.mean_pp - 1e-9 <= drop.upper_pp <= 100


@given(DIFFERENCES)
def test_swapping_before_and_after_mirrors_the_drop(values: list[float]):
    """What is the upper bound of a drop is minus the lower bound of the gain."""
    drop, gain = paired_drop(values), paired_drop([-value for value in values])
    assert gain.mean_pp == pytest.approx(-drop.mean_pp)
    assert gain.lower_pp == pytest.approx(-drop.upper_pp)
    assert gain.upper_pp == pytest.approx(-drop.lower_pp)


@given(DIFFERENCES, st.randoms(use_true_random=False))
def test_the_order_of_prompts_does_not_count(values: list[float], random):
    """Shuffled prompts have the same drop and bounds."""
    shuffled = random.sample(values, len(values))
    assert paired_drop(shuffled) == pytest.approx(paired_drop(values))


@given(DIFFERENCES, st.floats(0.51, 0.98))
def test_more_confidence_never_narrows(values: list[float], confidence: float):
    """A higher confidence gives bounds that are at least as wide."""
    narrow, wide = paired_drop(values, confidence), paired_drop(values, confidence + 0.01)
    assert wide.lower_pp <= narrow.lower_pp
    assert wide.upper_pp >= narrow.upper_pp


@pytest.mark.parametrize("values", [[], [[0.0]], [1.2], [-1.2], [math.nan], [0.0, math.inf]])
def test_differences_are_numbers_between_minus_one_and_one(values: list):
    """Nothing, a matrix, percentages and NaN are refused."""
    with pytest.raises(ValueError, match="differences"):
        paired_drop(values)


VERDICTS = st.lists(st.sampled_from([Verdict.PASS, Verdict.FAIL]), min_size=3, max_size=3).map(tuple)
PAIRS = st.lists(st.tuples(VERDICTS, VERDICTS), min_size=1, max_size=25)


@given(drawn=PAIRS, which=st.integers(0, 10_000), limit=st.sampled_from([3.0, 10.0, 40.0]))
def test_a_worse_answer_never_lowers_the_mean_nor_saves_an_adapter(build, drawn: list, which: int, limit: float):
    """One more failing answer after tuning raises the mean drop, and never turns reject into promote."""
    pairs = [PromptPair(f"p{n}", "direct", *both) for n, both in enumerate(drawn)]
    passing = [(n, k) for n, pair in enumerate(pairs) for k, verdict in enumerate(pair.after) if verdict == "pass"]
    if not passing:
        return
    prompt, answer = passing[which % len(passing)]
    after = tuple(Verdict.FAIL if k == answer else verdict for k, verdict in enumerate(pairs[prompt].after))
    worse = [pair._replace(after=after) if n == prompt else pair for n, pair in enumerate(pairs)]

    rule = CategoryRule(rule="margin", limit_pp=limit)
    policy = build.policy()
    deltas = [category_deltas(each, 0.95)["direct"] for each in (pairs, worse)]
    first, second = [decide_category(CategoryEvidence(d, d.mcnemar_p, (), 0), rule, policy).decision for d in deltas]
    assert deltas[1].drop_pp > deltas[0].drop_pp
    assert (first, second) != (Decision.REJECT, Decision.PROMOTE)


@pytest.mark.parametrize(("prompts", "flip"), [(12, 0.05), (12, 0.2), (25, 0.03), (50, 0.05), (100, 0.02)])
def test_the_upper_bound_covers(prompts: int, flip: float):
    """In 2,000 simulated runs with one answer each the bound misses a true drop at most 5 % of the time.

    The tolerance is the 99.9 % point of the binomial, so that the seeded simulation is not what decides.
    """
    runs = 2000
    random = np.random.default_rng([prompts, round(1000 * flip)])
    draws = (random.random((runs, prompts)) < flip).astype(float)
    missed = sum(paired_drop(values).upper_pp < 100 * flip for values in draws)
    assert missed <= stats.binom.ppf(0.999, runs, 0.05)


def _sample(prompts: int, mean: float, spread: float) -> list[float]:
    """Values with exactly this mean and standard deviation."""
    pairs = prompts // 2
    if not pairs:
        return [mean]
    away = spread * math.sqrt((prompts - 1) / (2 * pairs))
    return [mean + away] * pairs + [mean - away] * pairs + [mean] * (prompts % 2)


@pytest.mark.parametrize(
    ("limit", "mean", "spread"),
    [(3, 0, 0), (5, 0, 0), (10, 0, 0), (5, 1, 10), (10, 4, 20), (3, -2, 15), (5, 4.5, 5), (90, 0, 0)],
)
def test_prompts_needed_is_the_smallest_number(limit: float, mean: float, spread: float):
    """With that many prompts the bound is inside the limit, with one fewer it is not."""
    needed = prompts_needed(limit, mean, spread)
    assert needed is not None
    enough = paired_drop(_sample(needed, mean / 100, spread / 100)).upper_pp
    assert enough <= limit + 1e-9
    if needed > 1:
        assert paired_drop(_sample(needed - 1, mean / 100, spread / 100)).upper_pp > limit


def test_no_number_of_prompts_supports_a_limit_at_the_mean():
    """Where the drop itself is at or above the limit, more prompts do not help."""
    assert prompts_needed(5, 5, 10) is None
    assert prompts_needed(5, 7, 10) is None


@pytest.mark.parametrize("noise", [-1e-15, -1e-12, -1e-10, 1e-12])
def test_a_mean_of_the_limit_up_to_float_noise_is_the_limit(noise: float):
    """5 % as a ratio of counts may be a hair below 5; that asks for no astronomical number of prompts."""
    assert prompts_needed(5, 5 + noise, 10) is None


def test_a_mean_just_below_the_limit_needs_very_many():
    """The search ends even where the mean is a hair below the limit."""
    needed = prompts_needed(5, 5 - 1e-6, 10)
    assert needed is not None
    assert needed > 10**12
