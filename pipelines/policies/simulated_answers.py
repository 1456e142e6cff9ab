"""Simulated answers of a model whose true change is known: what a gate is tried out on before anything is measured.

A share of the prompts wavers: such a prompt passes with a probability that is uniform in [0, 1]. The others pass
always. A true drop makes some prompts fail for good, each with the same chance, whichever prompts a run happens to
have: it is a drop on prompts *like* these. The judge gets each verdict wrong with one probability, passing or
failing, on both sides, and the two sides are drawn independently.
Numbers only: this module does not know policies, suites or verdicts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.suites.resolution import WAVERING


class Assumptions(NamedTuple):
    """What a simulated model and its judge are like.

    Attributes:
        wavering: share of the prompts whose answers waver, 0 to 1.
        judge_noise: probability that the judge says the opposite, 0 to 0.5.
    """

    wavering: float = WAVERING
    judge_noise: float = 0.05

    @property
    def pass_rate(self) -> float:
        """The base's true share of passing answers, 0 to 1."""
        return 1 - self.wavering / 2


def pass_chances(prompts: int, assumptions: Assumptions, rng: Generator) -> NDArray[np.float64]:
    """How often each of so many prompts passes before tuning: shape (prompts,); other prompts with every call."""
    return np.where(rng.random(prompts) < assumptions.wavering, rng.random(prompts), 1.0)


def after_drop(
    chances: NDArray[np.float64], drop_pp: float, assumptions: Assumptions, rng: Generator
) -> NDArray[np.float64]:
    """How often each prompt passes after a tuning that takes away so much.

    Each prompt fails for good with the probability drop / pass rate, so that the mean falls by the drop.

    Args:
        chances: of the same prompts before, any shape.
        drop_pp: the true drop, percentage points; 0 for an unchanged model.
        assumptions: for the pass rate from which it falls.
        rng: the source of chance.

    Raises:
        ValueError: the model cannot fall so far.
    """
    broken = drop_pp / 100 / assumptions.pass_rate
    if not 0 <= broken <= 1:
        raise ValueError(f"a drop of {drop_pp} pp; expected 0 to {100 * assumptions.pass_rate:.0f}, the pass rate")
    return np.where(rng.random(chances.shape) < broken, 0.0, chances)


def passed(chances: NDArray[np.float64], draws: Sequence[int], judge_noise: float, rng: Generator) -> NDArray[np.int64]:
    """How many of each prompt's answers the judge lets pass: shape (prompts,).

    Args:
        chances: that an answer truly passes, shape (prompts,).
        draws: answers of each prompt.
        judge_noise: probability that the judge says the opposite.
        rng: the source of chance.
    """
    return rng.binomial(draws, judge_noise + (1 - 2 * judge_noise) * chances)
