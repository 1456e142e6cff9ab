"""Paired drops, their bounds, and how many prompts a limit needs."""

import math
from functools import cache
from itertools import product
from statistics import fmean, stdev
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.shared.config.policy_rules import CategoryRule
from components.shared.gate.deltas import category_deltas
from components.shared.gate.pairing import PromptPair
from components.shared.gate.rules import CategoryEvidence, decide_category
from components.shared.statistics.paired import Drop, level, paired_drop, prompts_needed
from components.shared.vocabulary import Verdict

FIFTHS = st.integers(-5, 5).map(lambda fifths: fifths / 5)
DIFFERENCES = st.lists(FIFTHS, min_size=1, max_size=60)
SHARES = st.lists(st.integers(0, 5).map(lambda fifths: fifths / 5), min_size=1, max_size=60)


def plus_one_t(values: list[float], confidence: float = 0.95) -> float:
    """The t-bound in percentage points after one fictitious 1, written out; not monotone."""
    padded = [*values, 1.0]
    t = stats.t.ppf(confidence, len(values))
    return 100 * (fmean(padded) + t * stdev(padded) / math.sqrt(len(padded)))


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
    """Shuffled prompts have the same drop and bounds, to the last bit."""
    shuffled = random.sample(values, len(values))
    assert paired_drop(shuffled) == paired_drop(values)


@given(DIFFERENCES, st.integers(0, 10_000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.999]))
def test_a_worse_prompt_lowers_no_bound(values: list[float], which: int, step: float, confidence: float):
    """Raising one difference anywhere towards 1 raises the mean and lowers neither bound."""
    place = which % len(values)
    worse = values.copy()
    worse[place] += step * (1 - worse[place])
    first, second = paired_drop(values, confidence), paired_drop(worse, confidence)
    assert second.mean_pp >= first.mean_pp - 1e-9
    assert second.lower_pp >= first.lower_pp - 1e-9
    assert second.upper_pp >= first.upper_pp - 1e-9


def test_the_t_bound_alone_would_fall():
    """One of 50 prompts rose by 1, then only by 0.8: the plus-one t-bound falls, ours stays."""
    risen, less = [-1.0] + [0.0] * 49, [-0.8] + [0.0] * 49
    assert plus_one_t(risen) == pytest.approx(4.693, abs=5e-4)
    assert plus_one_t(less) == pytest.approx(4.641, abs=5e-4)
    assert paired_drop(less).upper_pp == pytest.approx(paired_drop(risen).upper_pp) == pytest.approx(plus_one_t(risen))


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_the_bound_is_the_largest_over_samples_that_are_nowhere_worse(confidence: float):
    """For four prompts with every fifth tried, it is the maximum of the t-bound over all better samples."""
    grid = [fifths / 5 for fifths in range(-5, 6)]
    draw = np.random.default_rng(1)
    for values in draw.choice(grid, (8, 4)):
        better = product(*[[point for point in grid if point <= value + 1e-12] for value in values])
        largest = max(plus_one_t(list(sample), confidence) for sample in better)
        assert paired_drop(values, confidence).upper_pp == pytest.approx(min(100.0, largest))


@given(st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.2, 0.4, 1.0]), min_size=20, max_size=60))
def test_where_most_prompts_are_unchanged_the_bound_is_the_t_bound(values: list[float]):
    """With few drops and no improvement among 20 prompts or more, the monotone bound is the plus-one t-bound itself."""
    if fmean(values) <= 0.2:
        assert paired_drop(values).upper_pp == pytest.approx(plus_one_t(values))


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


@given(SHARES)
def test_a_level_is_bounded_like_a_drop_that_cannot_be_negative(shares: list[float]):
    """Bounds contain the mean and stay in 0 to 100 %, and the share of the rest is the mirror image."""
    bounded, rest = level(shares), level([1 - share for share in shares])
    assert 0 <= bounded.lower_pct <= bounded.mean_pct + 1e-9
    assert bounded.mean_pct - 1e-9 <= bounded.upper_pct <= 100
    assert bounded.upper_pct <= paired_drop(shares).upper_pp + 1e-9
    assert (100 - rest.upper_pct, 100 - rest.lower_pct) == pytest.approx((bounded.lower_pct, bounded.upper_pct))


def test_a_level_by_hand():
    """With one failing prompt of ten the bounds are t-bounds over eleven values, a 1 or a 0 added."""
    shares = [1.0] + [0.0] * 9
    low = [*shares, 0.0]
    t = stats.t.ppf(0.95, 10)
    bounded = level(shares)
    assert bounded.upper_pct == pytest.approx(plus_one_t(shares))
    assert bounded.mean_pct == pytest.approx(10)
    assert bounded.lower_pct == pytest.approx(max(0, 100 * (fmean(low) - t * stdev(low) / math.sqrt(11))))
    assert level([0.0] * 50) == pytest.approx((50, 0, 0, paired_drop([0.0] * 50).upper_pp))


@given(SHARES, st.integers(0, 10_000))
def test_a_higher_share_lowers_no_bound_of_a_level(shares: list[float], which: int):
    """Where one prompt fails more often, no bound falls."""
    worse = shares.copy()
    worse[which % len(shares)] = 1.0
    first, second = level(shares), level(worse)
    assert second.lower_pct >= first.lower_pct - 1e-9
    assert second.upper_pct >= first.upper_pct - 1e-9


@pytest.mark.parametrize("shares", [[], [[0.5]], [-0.1], [1.1], [math.nan]])
def test_shares_are_numbers_between_zero_and_one(shares: list):
    """Nothing, a matrix, a drop and NaN are refused."""
    with pytest.raises(ValueError, match="shares"):
        level(shares)


def test_two_hundred_thousand_prompts_take_no_time():
    """A drop over 200,000 prompts is bounded at once, and large numbers do not cost its accuracy."""
    values = np.random.default_rng(0).integers(-5, 6, 200_000) / 5
    started = process_time()
    drop = paired_drop(values)
    assert process_time() - started < 5
    assert drop.upper_pp == pytest.approx(plus_one_t(values.tolist()), abs=1e-9)


MOST_MISSED = {12: 0.0, 25: 0.064, 50: 0.068, 100: 0.068}
"""The largest chance of a miss over true drops of 3 to 20 pp with one answer each and no improvement, as found."""

VERDICTS = st.lists(st.sampled_from([Verdict.PASS, Verdict.FAIL]), min_size=3, max_size=3).map(tuple)
PAIRS = st.lists(st.tuples(VERDICTS, VERDICTS), min_size=1, max_size=25)


@given(
    drawn=PAIRS,
    which=st.integers(0, 10_000),
    limit=st.sampled_from([3.0, 10.0, 25.0, 40.0]),
    kind=st.sampled_from(["margin", "zero_tolerance"]),
)
def test_a_worse_answer_never_makes_the_decision_milder(build, drawn: list, which: int, limit: float, kind: str):
    """One more failing answer after tuning raises the mean drop and never lowers the severity of the decision."""
    pairs = [PromptPair(f"p{n}", "direct", *both) for n, both in enumerate(drawn)]
    passing = [(n, k) for n, pair in enumerate(pairs) for k, verdict in enumerate(pair.after) if verdict == "pass"]
    if not passing:
        return
    prompt, answer = passing[which % len(passing)]
    after = tuple(Verdict.FAIL if k == answer else verdict for k, verdict in enumerate(pairs[prompt].after))
    worse = [pair._replace(after=after) if n == prompt else pair for n, pair in enumerate(pairs)]

    named = {"limit_pp": limit} if kind == "margin" else {"resolution_pp": limit}
    rule, policy = CategoryRule(rule=kind, **named), build.policy()
    deltas = [category_deltas(each, 0.95)["direct"] for each in (pairs, worse)]
    first, second = [decide_category(CategoryEvidence(d, d.mcnemar_p, (), 0), rule, policy).decision for d in deltas]
    assert deltas[1].drop_pp > deltas[0].drop_pp
    assert second.severity >= first.severity


@cache
def _drop(failing: int, passing: int, unchanged: int) -> Drop:
    return paired_drop([1.0] * failing + [-1.0] * passing + [0.0] * unchanged)


@pytest.mark.parametrize("prompts", [12, 25, 50, 100])
def test_the_upper_bound_misses_about_one_in_twenty_exactly(prompts: int):
    """With one answer each and no improvement, misses summed over all counts, are 4.2 % on average, 6.8 % at worst."""
    counts = np.arange(prompts + 1)
    uppers = np.array([_drop(count, 0, prompts - count).upper_pp for count in counts])
    missed = [
        stats.binom.pmf(counts, prompts, drop / 100)[uppers < drop - 1e-9].sum() for drop in np.arange(3, 20.01, 0.05)
    ]
    assert np.mean(missed) <= 0.042
    assert MOST_MISSED[prompts] - 0.001 <= max(missed) <= MOST_MISSED[prompts]


@pytest.mark.parametrize("prompts", [12, 25, 50])
@pytest.mark.parametrize("gained", [0.02, 0.1])
def test_the_bounds_hold_where_prompts_also_improve(prompts: int, gained: float):
    """With newly passing prompts too, each bound misses a true drop of 3 to 20 pp at most 5 % of the time, exactly."""
    tables = [(b, c) for b in range(prompts + 1) for c in range(prompts + 1 - b)]
    drops = [_drop(b, c, prompts - b - c) for b, c in tables]
    counts = np.array([(b, c, prompts - b - c) for b, c in tables])
    for drop in (3, 5, 10, 20):
        lost = gained + drop / 100
        chance = stats.multinomial.pmf(counts, prompts, [lost, gained, 1 - lost - gained])
        assert chance[[bounds.upper_pp < drop - 1e-9 for bounds in drops]].sum() <= 0.05
        assert chance[[bounds.lower_pp > drop + 1e-9 for bounds in drops]].sum() <= 0.05


@pytest.mark.parametrize(("prompts", "drop"), [(12, 3), (12, 10), (25, 5), (25, 20), (50, 10), (100, 3), (100, 20)])
def test_the_upper_bound_covers_with_five_answers(prompts: int, drop: int):
    """Over 1,500 simulated runs with 22 % wavering prompts and five answers, misses are 5 % or fewer.

    The tolerance is the 99.9 % point of the binomial, so that the seeded simulation is not what decides.
    """
    runs = 1500
    draw = np.random.default_rng([prompts, drop])
    chance = np.where(draw.random((runs, prompts)) < 0.22, draw.random((runs, prompts)), 1.0)
    after = np.where(draw.random((runs, prompts)) < drop / 89, 0.0, chance)
    values = (draw.binomial(5, chance) - draw.binomial(5, after)) / 5
    missed = sum(paired_drop(differences).upper_pp < drop for differences in values)
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
