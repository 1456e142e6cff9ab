"""The drop of a pass rate between two models that were asked the same prompts.

The prompt is the unit: k answers to one prompt are not k independent observations, so each prompt gives one
difference D = (share passing before) - (share passing after), in [-1, 1], and everything is computed over
prompts (clustered standard error; Miller, "Adding Error Bars to Evals", arXiv 2411.00640, section 2.2).
This module does not know what a verdict is.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

_NOISE = 1e-11
"""A mean this close below a limit is at the limit: 5 % computed from counts may be 4.999999999999999."""


class Drop(NamedTuple):
    """A paired drop in percentage points; positive = worse after."""

    prompts: int
    mean_pp: float
    lower_pp: float
    upper_pp: float
    spread_pp: float


def paired_drop(differences: ArrayLike, confidence: float = 0.95) -> Drop:
    """The mean drop with two one-sided bounds that also hold for few prompts.

    The upper bound is the *plus-one bound*: the one-sided t-bound after one fictitious prompt that fell from
    all to none (D = 1) is added; the lower bound adds one that rose from none to all (D = -1). A plain t-bound
    has zero width where no prompt changed, which is where safety suites live; adding one worst case gives about
    the width of the rule of three. Both bounds always contain the mean.

    Args:
        differences: shape (prompts,), share passing before minus share passing after, each in [-1, 1].
        confidence: of each bound on its own, e.g. 0.95.

    Raises:
        ValueError: there are no differences, or one is outside [-1, 1] or not a number.
    """
    values = _checked(differences)
    return Drop(
        prompts=len(values),
        mean_pp=100 * float(np.mean(values)),
        lower_pp=-100 * _plus_one_upper(-values, confidence),
        upper_pp=100 * _plus_one_upper(values, confidence),
        spread_pp=100 * float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
    )


def prompts_needed(limit_pp: float, mean_pp: float, spread_pp: float, confidence: float = 0.95) -> int | None:
    """Prompts with which the plus-one bound would be at most a limit, if mean and spread stay as they are.

    Args:
        limit_pp: the drop to rule out, percentage points.
        mean_pp: the mean drop, percentage points.
        spread_pp: standard deviation of the drop over prompts, percentage points.
        confidence: of the bound.

    Returns:
        The smallest such number; None when the mean itself is at the limit (up to float noise) or above: no number
        suffices.
    """
    limit, mean, spread = limit_pp / 100, mean_pp / 100, spread_pp / 100
    if mean >= limit - _NOISE:
        return None

    def bound(prompts: int) -> float:
        count = prompts + 1
        shifted = mean + (1 - mean) / count
        squares = (prompts - 1) * spread**2 + prompts * (mean - shifted) ** 2 + (1 - shifted) ** 2
        return shifted + _t_quantile(confidence, prompts) * math.sqrt(squares / prompts / count)

    low, high = 1, 2
    while bound(high) > limit:
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(middle) <= limit else (middle + 1, high)
    return low


def _plus_one_upper(values: NDArray[np.float64], confidence: float) -> float:
    padded = np.append(values, 1.0)
    error = float(np.std(padded, ddof=1)) / math.sqrt(len(padded))
    bound = float(np.mean(padded)) + _t_quantile(confidence, len(padded) - 1) * error
    return min(1.0, bound)


def _t_quantile(confidence: float, degrees: int) -> float:
    return float(stats.t.ppf(confidence, float(degrees)))


def _checked(differences: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"differences have shape {values.shape}; expected (prompts,) with at least one")
    if not np.all(np.abs(values) <= 1):
        raise ValueError("differences hold a value outside [-1, 1] or not a number")
    return values
