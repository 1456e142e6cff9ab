"""Simulates answers of a model with a known true drop, to test a policy before anything is measured.

A share of the prompts wavers: each of these passes with a probability that is uniform in [0, 1]. The others always
pass. A true drop makes some prompts always fail, each with the same probability; so it is a drop over prompts *like*
these, and the drop on the prompts of one run varies. The judge errs with the same probability on passing and failing
answers and on both sides; the two sides are drawn independently.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.suites.resolution import WAVERING


class Assumptions(NamedTuple):
    """Properties of a simulated model and its judge.

    Attributes:
        wavering: share of the prompts that waver, 0 to 1.
        judge_noise: probability that a verdict is wrong, 0 to 0.5.
    """

    wavering: float = WAVERING
    judge_noise: float = 0.05

    @property
    def pass_rate(self) -> float:
        """The base's true share of passing answers, 0 to 1."""
        return 1 - self.wavering / 2


def pass_chances(prompts: int, assumptions: Assumptions, rng: Generator) -> NDArray[np.float64]:
    """Draws the pass probability of each prompt before tuning: shape (prompts,)."""
    return np.where(rng.random(prompts) < assumptions.wavering, rng.random(prompts), 1.0)


def after_drop(
    chances: NDArray[np.float64], drop_pp: float, assumptions: Assumptions, rng: Generator
) -> NDArray[np.float64]:
    """The pass probability of each prompt after a true drop.

    Each prompt always fails with the probability drop / pass rate, so the mean falls by the drop.

    Args:
        chances: pass probabilities of the same prompts before, any shape.
        drop_pp: the true drop, percentage points; 0 for an unchanged model.
        assumptions: gives the pass rate before.
        rng: random number generator.

    Raises:
        ValueError: the drop is larger than the pass rate.
    """
    broken = drop_pp / 100 / assumptions.pass_rate
    if not 0 <= broken <= 1:
        raise ValueError(f"a drop of {drop_pp} pp; expected 0 to {100 * assumptions.pass_rate:.0f}, the pass rate")
    return np.where(rng.random(chances.shape) < broken, 0.0, chances)


def passed(chances: NDArray[np.float64], draws: Sequence[int], judge_noise: float, rng: Generator) -> NDArray[np.int64]:
    """Draws the number of answers to each prompt that the judge passes: shape (prompts,).

    Args:
        chances: probability that an answer truly passes, shape (prompts,).
        draws: number of answers to each prompt.
        judge_noise: probability that a verdict is wrong.
        rng: random number generator.
    """
    return rng.binomial(draws, judge_noise + (1 - 2 * judge_noise) * chances)
