"""Which number of prompts supports which limit, before anything is measured.

Built on the plus-one bound of `paired`. This module does not know suites or policies.
"""

import math

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
