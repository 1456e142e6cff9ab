"""Intervals of a share, so many of so many: Wilson's is short, Clopper's and Pearson's is never too short.

It does not know what is counted.

The counted things are taken as independent; where they come in clusters, the interval is too narrow.
"""

import math
from typing import Literal, NamedTuple

from scipy import stats


class Estimate(NamedTuple):
    """A number between bounds; None where there is nothing to compute it from, which is not 0."""

    value: float | None
    lower: float | None
    upper: float | None


Sides = Literal[1, 2]
"""2: both bounds together hold at the confidence. 1: each holds at it on its own; quote only one of them."""

UNDEFINED = Estimate(None, None, None)
"""What a figure is that rests on no observation."""


def wilson(count: int, of: int, confidence: float = 0.95, sides: Sides = 2) -> Estimate:
    """A share and its Wilson score interval, all in [0, 1].

    (p + z²/2n ± z sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n) for the share p of n and the normal quantile z (Wilson,
    JASA 22, 1927; recommended for small n by Brown, Cai and DasGupta, Statistical Science 16, 2001). Unlike
    p ± z·SE it has width at 0 of n and at n of n.

    Args:
        count: how many have the property.
        of: how many there are; `UNDEFINED` for 0.
        confidence: of the interval, or of each bound, e.g. 0.95.
        sides: see `Sides`.

    Raises:
        ValueError: the count is not between 0 and `of`, or the confidence not between 0 and 1.
    """
    _check(count, of)
    z = normal_quantile(confidence, sides)
    if of == 0:
        return UNDEFINED
    share = count / of
    middle = share + z**2 / (2 * of)
    reach = z * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    scale = 1 + z**2 / of
    lower = 0.0 if count == 0 else (middle - reach) / scale
    upper = 1.0 if count == of else (middle + reach) / scale
    return Estimate(share, lower, upper)


def clopper_pearson(count: int, of: int, confidence: float = 0.95, sides: Sides = 2) -> Estimate:
    """A share and its exact interval, all in [0, 1]: never too short, whatever the true share.

    Lower bound BetaInv(a; count, of - count + 1), upper bound BetaInv(1 - a; count + 1, of - count) with a the error
    of one side (Clopper and Pearson, Biometrika 26, 1934). With none of n the one-sided upper bound is
    1 - (1 - confidence)^(1/n): the rule of three.

    Args:
        count: how many have the property.
        of: how many there are; `UNDEFINED` for 0.
        confidence: of the interval, or of each bound, e.g. 0.95.
        sides: see `Sides`.

    Raises:
        ValueError: the count is not between 0 and `of`, or the confidence not between 0 and 1.
    """
    _check(count, of)
    error = 1 - one_sided(confidence, sides)
    if of == 0:
        return UNDEFINED
    lower = 0.0 if count == 0 else float(stats.beta.ppf(error, count, of - count + 1))
    upper = 1.0 if count == of else float(stats.beta.isf(error, count + 1, of - count))
    return Estimate(count / of, lower, upper)


def one_sided(confidence: float, sides: Sides) -> float:
    """The confidence of each bound on its own: 0.975 for two sides at 0.95.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence}; expected a number between 0 and 1, such as 0.95")
    return confidence if sides == 1 else 0.5 + confidence / 2


def normal_quantile(confidence: float, sides: Sides) -> float:
    """The z of an interval: 1.96 for two sides at 0.95, 1.645 for one.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    return float(stats.norm.ppf(one_sided(confidence, sides)))


def _check(count: int, of: int) -> None:
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of}; expected a count from 0 to {of}")
