"""Simulated models: their pass rate, their drop and their judge are what was asked for."""

import numpy as np
import pytest

from components.shared.statistics.planning import spread_of_unchanged
from pipelines.policies.simulated_answers import Assumptions, after_drop, pass_chances, passed

MANY = 200_000


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize(("wavering", "rate"), [(0.0, 1.0), (0.22, 0.89), (1.0, 0.5)])
def test_the_pass_rate_is_that_of_the_prompts(rng, wavering: float, rate: float):
    """Prompts that waver pass half of the time on average, the others always."""
    model = Assumptions(wavering)
    chances = pass_chances(MANY, model, rng)
    assert model.pass_rate == pytest.approx(rate)
    assert chances.mean() == pytest.approx(rate, abs=0.005)
    assert ((chances > 0) & (chances < 1)).mean() == pytest.approx(wavering, abs=0.005)


@pytest.mark.parametrize("drop_pp", [0.0, 3.0, 10.0, 89.0])
def test_the_drop_is_the_one_asked_for(rng, drop_pp: float):
    """The mean falls by the drop; every prompt either stays the same or always fails."""
    model = Assumptions(0.22)
    before = pass_chances(MANY, model, rng)
    after = after_drop(before, drop_pp, model, rng)
    assert 100 * (before - after).mean() == pytest.approx(drop_pp, abs=0.4)
    assert np.all((after == before) | (after == 0))


@pytest.mark.parametrize("drop_pp", [-1.0, 89.1])
def test_an_impossible_drop_is_refused(rng, drop_pp: float):
    """A model cannot rise by falling, nor fall below nothing."""
    model = Assumptions(0.22)
    with pytest.raises(ValueError, match="expected 0 to 89, the pass rate"):
        after_drop(pass_chances(5, model, rng), drop_pp, model, rng)


def test_the_judge_errs_both_ways(rng):
    """One in ten verdicts is wrong, on answers that pass and on those that do not."""
    sure = np.array([1.0] * MANY + [0.0] * MANY)
    counts = passed(sure, [5] * len(sure), 0.1, rng)
    assert counts[:MANY].mean() / 5 == pytest.approx(0.9, abs=0.005)
    assert counts[MANY:].mean() / 5 == pytest.approx(0.1, abs=0.005)
    assert passed(sure, [1, 7] * MANY, 0.0, rng)[: MANY + 2].tolist() == [1, 7] * (MANY // 2) + [0, 0]


@pytest.mark.parametrize("samples", [1, 5])
def test_an_unchanged_model_wavers_as_planned(rng, samples: int):
    """Without judge errors the spread of D over prompts is the one that `suites plan` reckons with."""
    chances = pass_chances(MANY, Assumptions(0.22), rng)
    draws = [samples] * MANY
    drops = (passed(chances, draws, 0.0, rng) - passed(chances, draws, 0.0, rng)) / samples
    assert 100 * drops.std() == pytest.approx(spread_of_unchanged(0.22, samples), rel=0.02)
