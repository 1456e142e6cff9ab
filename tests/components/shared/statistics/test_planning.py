"""How many prompts a limit takes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.statistics.paired import paired_drop, prompts_needed
from components.shared.statistics.planning import (
    chance_above,
    prompts_for_power,
    smallest_limit,
    spread_of_unchanged,
)


def test_the_smallest_limit_by_hand():
    """With n unchanged prompts the plus-one bound is (1 + t) / (n + 1): for 99 prompts t is 1.66039."""
    assert smallest_limit(99) == pytest.approx(2.66039, abs=1e-5)
    assert smallest_limit(1) == 100


@given(st.floats(1, 60), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_smallest_limit_is_what_prompts_needed_inverts(limit, confidence):
    """As many prompts as a limit needs can show it, and one fewer cannot."""
    needed = prompts_needed(limit, 0.0, 0.0, confidence)
    assert smallest_limit(needed, confidence) <= limit + 1e-9
    if needed > 2:
        assert smallest_limit(needed - 1, confidence) > limit


def test_the_spread_by_hand():
    """A fifth of prompts wavering uniformly, with five answers: the variance is 0.2 / 15."""
    assert spread_of_unchanged(0.2, 5) == pytest.approx(100 * (0.2 / 15) ** 0.5)
    assert spread_of_unchanged(0.0, 5) == 0


def test_the_planned_number_keeps_its_promise():
    """Simulated unchanged models are shown to be inside 5 pp about as often as the power says."""
    prompts = prompts_for_power(5.0, spread_of_unchanged(0.22, 5), power=0.8)
    draw = np.random.default_rng(1)
    shown = 0
    for _ in range(400):
        chance = np.where(draw.random(prompts) < 0.22, draw.random(prompts), 1.0)
        drops = (draw.binomial(5, chance) - draw.binomial(5, chance)) / 5
        shown += paired_drop(drops).upper_pp <= 5.0
    assert shown / 400 == pytest.approx(0.8, abs=0.06)


def test_without_spread_the_power_makes_no_difference():
    """An unchanging model needs what the bound alone needs."""
    assert prompts_for_power(5.0, 0.0, power=0.99) == prompts_needed(5.0, 0.0, 0.0) == 53


@given(st.floats(1, 40), st.floats(0, 40), st.floats(0.5, 0.95))
def test_more_is_asked_of_tighter_limits_and_wider_spreads(limit, spread, power):
    """A tighter limit, a wider spread and a higher power never take fewer prompts."""
    needed = prompts_for_power(limit, spread, power=power)
    assert needed <= prompts_for_power(limit * 0.8, spread, power=power)
    assert needed <= prompts_for_power(limit, spread + 5, power=power)
    assert needed <= prompts_for_power(limit, spread, power=0.97)


def test_no_number_supports_a_limit_of_zero():
    """An unchanged model's drop is at that limit, so there is nothing to plan."""
    assert prompts_for_power(0.0, 10.0) is None


def test_a_measured_mean_is_above_its_limit_by_chance():
    """Half of the time at the truth itself, never without any spread, and less often the more prompts there are."""
    assert chance_above(5.0, 5.0, 20.0, 100) == pytest.approx(0.5)
    assert (chance_above(5.0, 4.0, 0.0, 10), chance_above(5.0, 6.0, 0.0, 10)) == (0.0, 1.0)
    assert chance_above(5.0, 0.0, 20.0, 400) < chance_above(5.0, 0.0, 20.0, 100) < 0.5


@given(st.integers(1, 50), st.floats(0, 30))
def test_a_limit_between_two_possible_means_is_the_lower_one(prompts: int, limit: float):
    """With one answer per prompt, 3 and 5 pp are the same limit below 20 prompts."""
    step = 100 / prompts
    lower = math.floor(limit / step + 1e-9) * step
    assert chance_above(limit, 0.0, 20.0, prompts, step) == pytest.approx(chance_above(lower, 0.0, 20.0, prompts, step))
