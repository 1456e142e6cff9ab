"""The drop of a pass rate between two models that were asked the same prompts.

The prompt is the unit: k answers to one prompt are not k independent observations, so each prompt gives one
difference D = (share passing before) - (share passing after), in [-1, 1], and everything is computed over
prompts (clustered standard error; Miller, "Adding Error Bars to Evals", arXiv 2411.00640, section 2.2).

Every bound is *monotone*: if one prompt gets worse, no bound falls. A t-bound alone is not monotone, because a value
that comes nearer to the others shrinks the spread more than it lifts the mean: with D = -1 for one of 50 prompts and 0
for the others the plus-one t-bound is 4.69 pp, with D = -0.8 only 4.64 pp. So the bound is the largest t-bound of all
samples in which no prompt is worse than in this one: the smallest monotone function above the t-bound. At 95 % it
differs from the t-bound if few prompts improved much, if all dropped much and equally, and below seven prompts.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from components.shared.statistics.tolerance import above


class Drop(NamedTuple):
    """A paired drop in percentage points; positive = worse after."""

    prompts: int
    mean_pp: float
    lower_pp: float
    upper_pp: float
    spread_pp: float


class Level(NamedTuple):
    """A mean share over prompts, percent."""

    prompts: int
    mean_pct: float
    lower_pct: float
    upper_pct: float


def paired_drop(differences: ArrayLike, confidence: float = 0.95) -> Drop:
    """The mean drop with two one-sided bounds that also hold for few prompts.

    The upper bound is the *plus-one bound*: the one-sided t-bound after one fictitious prompt that fell from
    all to none (D = 1) is added; the lower bound adds one that rose from none to all (D = -1). A plain t-bound
    has zero width if no prompt changed, which is common in safety suites; one added worst case gives about the
    width of the rule of three. The mean lies between the bounds; they are monotone (see above) and do not depend on
    the order of prompts. They are not exact: with one answer per prompt and no improvement, the 95 % bound misses a
    true drop of 3 to 20 pp with a probability of at most 6.8 % (12 to 100 prompts, summed over all outcomes), on
    average 4.1 % at 100 prompts.

    Args:
        differences: shape (prompts,), share passing before minus share passing after, each in [-1, 1].
        confidence: of each bound on its own, e.g. 0.95.

    Raises:
        ValueError: there are no differences, or one is outside [-1, 1] or not a number.
    """
    values = _checked(differences, -1.0, "differences")
    return Drop(
        prompts=len(values),
        mean_pp=100 * float(np.mean(values)),
        lower_pp=-100 * _plus_one_upper(-values[::-1], -1.0, confidence),
        upper_pp=100 * _plus_one_upper(values, -1.0, confidence),
        spread_pp=100 * float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
    )


def level(shares: ArrayLike, confidence: float = 0.95) -> Level:
    """The mean of a share over prompts, such as the share of failing answers, with two one-sided bounds.

    The bounds of `paired_drop` for values in [0, 1]: the upper one adds a fictitious prompt with share 1, the lower
    one with share 0.

    Args:
        shares: shape (prompts,), each in [0, 1].
        confidence: of each bound on its own.

    Raises:
        ValueError: there are no shares, or one is outside [0, 1] or not a number.
    """
    values = _checked(shares, 0.0, "shares")
    return Level(
        prompts=len(values),
        mean_pct=100 * float(np.mean(values)),
        lower_pct=100 * (1 - _plus_one_upper(1 - values[::-1], 0.0, confidence)),
        upper_pct=100 * _plus_one_upper(values, 0.0, confidence),
    )


def prompts_needed(limit_pp: float, mean_pp: float, spread_pp: float, confidence: float = 0.95) -> int | None:
    """The number of prompts with which the plus-one bound is at most a limit, if mean and spread stay the same.

    Exact if all prompts have the same drop. Otherwise an approximation: the prompts that the monotone bound takes as
    improved are counted with the mean drop.

    Args:
        limit_pp: the drop to rule out, percentage points.
        mean_pp: the mean drop, percentage points.
        spread_pp: standard deviation of the drop over prompts, percentage points.
        confidence: of the bound.

    Returns:
        The smallest such number; None if the mean is at the limit (up to float noise) or above: no number suffices.
    """
    limit, mean, spread = limit_pp / 100, mean_pp / 100, spread_pp / 100
    if not above(limit_pp, mean_pp):
        return None

    def bound(prompts: int) -> float:
        t = _t_quantile(confidence, prompts)
        return max(improved(prompts, t, fewer) for fewer in range(min(prompts, math.ceil(t**2 / 4)) + 1))

    def improved(prompts: int, t: float, fewer: int) -> float:
        count, kept = prompts + 1, prompts - fewer
        shifted = mean + (1 - mean - fewer * (1 + mean)) / count
        squares = (prompts - 1) * spread**2 * kept / prompts + kept * (mean - shifted) ** 2
        squares += (1 - shifted) ** 2 + fewer * (1 + shifted) ** 2
        return shifted + t * math.sqrt(squares / prompts / count)

    return smallest_count(lambda prompts: bound(prompts) <= limit)


def smallest_count(suffices: Callable[[int], bool]) -> int:
    """The smallest count from 1 that suffices, where every larger one does too."""
    low, high = 1, 2
    while not suffices(high):
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return low


def _plus_one_upper(values: NDArray[np.float64], best: float, confidence: float) -> float:
    """The monotone plus-one bound of sorted values between `best` and 1.

    The t-bound m + t s / sqrt(N) is convex in every value. So over all samples in which no value is worse, it is
    largest in one whose values are either unchanged or `best`; by symmetry and convexity the lowest values are the
    ones to become `best`. That leaves one sample for each number j of improved prompts.
    """
    count = len(values) + 1
    sums = 1.0 + _improved(values, best)
    squares = 1.0 + _improved(values**2, best**2)
    spread = np.sqrt(np.maximum(squares - sums**2 / count, 0.0) / (count - 1))
    bounds = sums / count + _t_quantile(confidence, count - 1) * spread / math.sqrt(count)
    return min(1.0, float(np.max(bounds)))


def _improved(values: NDArray[np.float64], best: float) -> NDArray[np.float64]:
    """Sums of the values with the first j replaced by `best`, for j from 0 to all: shape (prompts + 1,)."""
    lowered = np.concatenate([[0.0], np.cumsum(best - values)])
    return float(np.sum(values)) + lowered


def _t_quantile(confidence: float, degrees: int) -> float:
    return float(special.stdtrit(float(degrees), confidence))


def _checked(unsorted: ArrayLike, least: float, name: str) -> NDArray[np.float64]:
    values = np.asarray(unsorted, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"{name} have shape {values.shape}; expected (prompts,) with at least one")
    if not np.all((values >= least) & (values <= 1)):
        raise ValueError(f"{name} hold a value outside [{least:g}, 1] or not a number")
    return np.sort(values)
