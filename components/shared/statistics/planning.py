"""Which number of prompts supports which limit, before anything is measured.

Built on the plus-one bound of `paired`, and on the exact test of `exact`. This module does not know suites or policies.
"""

import math

import numpy as np
from scipy import stats

from components.shared.statistics.paired import paired_drop, prompts_needed


def smallest_limit(prompts: int, confidence: float = 0.95) -> float:
    """The smallest limit in percentage points that so many prompts can support: their bound when no prompt changes.

    With no change at all, the number of answers per prompt makes no difference.

    Raises:
        ValueError: there are no prompts.
    """
    return paired_drop([0.0] * prompts, confidence).upper_pp


def spread_of_unchanged(wavering: float, samples: int) -> float:
    """The standard deviation over prompts of D between two runs of one and the same model, percentage points.

    A share `wavering` of prompts passes with a probability that is uniform in [0, 1], the others always or never.
    D of a wavering prompt then has the variance 2 E[p(1 - p)] / k = 1 / (3k) for k answers a side.

    Args:
        wavering: share of the prompts, 0 to 1.
        samples: answers per prompt and side.
    """
    return 100 * math.sqrt(wavering / (3 * samples))


def prompts_for_power(
    limit_pp: float, spread_pp: float, confidence: float = 0.95, power: float = 0.8, mean_pp: float = 0.0
) -> int | None:
    """Prompts with which the plus-one bound is at most a limit with a given probability.

    The mean drop that will be seen is taken as normal around the true one with standard error spread/√n; the answer
    is the smallest n with `prompts_needed` at the power-quantile of that mean at most n.

    Args:
        limit_pp: the drop to rule out, percentage points.
        spread_pp: standard deviation of the drop over prompts, percentage points; at 0 the power makes no difference.
        confidence: of the bound.
        power: probability of support, e.g. 0.8.
        mean_pp: the true drop, percentage points.

    Returns:
        None when the true drop is at the limit or above: no number suffices.
    """
    if prompts_needed(limit_pp, mean_pp, spread_pp, confidence) is None:
        return None
    quantile = float(stats.norm.ppf(power))

    def supports(prompts: int) -> bool:
        seen = mean_pp + quantile * spread_pp / math.sqrt(prompts)
        needed = prompts_needed(limit_pp, seen, spread_pp, confidence)
        return needed is not None and needed <= prompts

    low, high = 1, 2
    while not supports(high):
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if supports(middle) else (middle + 1, high)
    return low


def chance_above(limit_pp: float, true_pp: float, spread_pp: float, prompts: int, step_pp: float = 0.0) -> float:
    """How often a measured mean drop is above a limit, 0 to 1: what a rule about the measured drop alone gets wrong.

    1 - Phi((limit + step/2 - true) / (spread / sqrt(n))): normal approximation with continuity correction; a limit
    between two possible means is the lower of them.

    Args:
        limit_pp: the limit, percentage points.
        true_pp: the true drop, percentage points.
        spread_pp: standard deviation of the drop over prompts, percentage points.
        prompts: how many.
        step_pp: distance between neighbouring possible means, percentage points; 0 for none.
    """
    if step_pp > 0:
        limit_pp = math.floor(limit_pp / step_pp + 1e-9) * step_pp
    distance = limit_pp + step_pp / 2 - true_pp
    if spread_pp == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stats.norm.sf(distance / (spread_pp / math.sqrt(prompts))))


def minimal_detectable_drop(
    prompts: int, flip_noise: float = 0.02, confidence: float = 0.95, power: float = 0.8
) -> float | None:
    """The smallest true drop, percentage points, that an exact one-sided McNemar test finds so often; one answer each.

    A prompt newly fails with probability drop + noise and newly passes with probability noise; the power is summed over
    all numbers of changed prompts, and the drop found by halving.

    Args:
        prompts: how many.
        flip_noise: share of prompts whose verdict changes either way between two runs of one model.
        confidence: of the test; it finds a drop where p <= 1 - confidence.
        power: how often it should, e.g. 0.8.

    Returns:
        None where even the largest possible drop is found less often.

    Raises:
        ValueError: there are no prompts, or the noise is not between 0 and 1/2.
    """
    if prompts < 1 or not 0 <= flip_noise < 0.5:
        raise ValueError(f"{prompts} prompts with a flip noise of {flip_noise}; expected at least 1, and 0 to 0.5")
    changed = np.arange(prompts + 1)
    needed = stats.binom.isf(1 - confidence, changed, 0.5) + 1

    def found(drop: float) -> float:
        either = drop + 2 * flip_noise
        tails = stats.binom.sf(needed - 1, changed, (drop + flip_noise) / either)
        return float(np.sum(stats.binom.pmf(changed, prompts, either) * tails))

    low, high = 0.0, 1 - 2 * flip_noise
    if found(high) < power:
        return None
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= power else (middle, high)
    return 100 * high
