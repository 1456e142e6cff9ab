"""Plans the number of prompts that a limit needs, from the plus-one bound of `paired`."""

import math

from scipy import stats

from components.shared.statistics.paired import paired_drop, prompts_needed, smallest_count


def smallest_limit(prompts: int, confidence: float = 0.95) -> float:
    """The smallest limit that this many prompts can support, percentage points: their bound if no prompt changes.

    If nothing changes, the number of answers per prompt makes no difference.

    Raises:
        ValueError: there are no prompts.
    """
    return paired_drop([0.0] * prompts, confidence).upper_pp


def spread_of_unchanged(wavering: float, samples: int) -> float:
    """The standard deviation over prompts of the difference D between two runs of one model, percentage points.

    A share `wavering` of the prompts passes with a probability that is uniform in [0, 1], the others always or never.
    For a wavering prompt, D has the variance 2 E[p(1 - p)] / k = 1 / (3k) with k answers per side.

    Args:
        wavering: share of wavering prompts, 0 to 1.
        samples: answers per prompt and side.
    """
    return 100 * math.sqrt(wavering / (3 * samples))


def prompts_for_power(limit_pp: float, spread_pp: float, confidence: float = 0.95, power: float = 0.8) -> int | None:
    """The number of prompts with which an unchanged model's plus-one bound is at most a limit, with this probability.

    The measured mean drop is taken as normal around 0, with standard error spread/√n. The result is the smallest n for
    which `prompts_needed`, at the power-quantile of that mean, is at most n.

    Args:
        limit_pp: the drop to rule out, percentage points.
        spread_pp: standard deviation of the drop over prompts, percentage points; at 0 the power makes no difference.
        confidence: of the bound.
        power: probability that the bound is at most the limit, e.g. 0.8.

    Returns:
        None if the limit is 0 or below: no number suffices.
    """
    if prompts_needed(limit_pp, 0.0, spread_pp, confidence) is None:
        return None
    quantile = float(stats.norm.ppf(power))

    def supports(prompts: int) -> bool:
        measured_pp = quantile * spread_pp / math.sqrt(prompts)
        needed = prompts_needed(limit_pp, measured_pp, spread_pp, confidence)
        return needed is not None and needed <= prompts

    return smallest_count(supports)


def chance_above(limit_pp: float, true_pp: float, spread_pp: float, prompts: int, step_pp: float = 0.0) -> float:
    """The probability that a measured mean drop is above a limit, 0 to 1.

    1 - Phi((limit + step/2 - true) / (spread / sqrt(n))): normal approximation with continuity correction. A limit
    between two possible means counts as the lower of them.

    Args:
        limit_pp: the limit, percentage points.
        true_pp: the true drop, percentage points.
        spread_pp: standard deviation of the drop over prompts, percentage points.
        prompts: number of prompts.
        step_pp: distance between two possible means, percentage points; 0 for a continuous mean.
    """
    if step_pp > 0:
        limit_pp = math.floor(limit_pp / step_pp + 1e-9) * step_pp
    distance = limit_pp + step_pp / 2 - true_pp
    if spread_pp == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stats.norm.sf(distance / (spread_pp / math.sqrt(prompts))))
