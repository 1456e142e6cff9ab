"""Intervals of a proportion: Wilson's is short, Clopper and Pearson's is never too short.

Both take the counted things as independent; if they come in clusters, the interval is too narrow.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

from scipy import stats


class Estimate(NamedTuple):
    """A number with its bounds; all None if there is no observation to compute it from, which is not 0."""

    value: float | None
    lower: float | None
    upper: float | None


Sides = Literal[1, 2]
"""2: the interval holds at the confidence. 1: each bound alone holds at the confidence; quote only one of them."""

UNDEFINED = Estimate(None, None, None)
"""The estimate without any observation."""


def wilson(count: int, of: int, confidence: float = 0.95, sides: Sides = 2) -> Estimate:
    """A proportion with its Wilson score interval, all in [0, 1]; `UNDEFINED` if the total is 0.

    Wilson, JASA 22, 1927; recommended for small totals by Brown, Cai and DasGupta, Statistical Science 16, 2001.
    Unlike p ± z·SE, its width is not 0 if none or all are counted.

    Args:
        count: number with the property.
        of: total.
        confidence: of the interval, or of each bound (`Sides`), e.g. 0.95.
        sides: see `Sides`.

    Raises:
        ValueError: the count is not from 0 to `of`, or no interval has this confidence.
    """
    return _interval(count, of, confidence, sides, "wilson")


def clopper_pearson(count: int, of: int, confidence: float = 0.95, sides: Sides = 2) -> Estimate:
    """A proportion with its exact interval, all in [0, 1]: never too short; `UNDEFINED` if the total is 0.

    Clopper and Pearson, Biometrika 26, 1934. If 0 of n are counted, the one-sided upper bound is
    1 - (1 - confidence)^(1/n): the rule of three.

    Args:
        count: number with the property.
        of: total.
        confidence: of the interval, or of each bound (`Sides`), e.g. 0.95.
        sides: see `Sides`.

    Raises:
        ValueError: the count is not from 0 to `of`, or no interval has this confidence.
    """
    return _interval(count, of, confidence, sides, "exact")


@lru_cache(maxsize=4096)  # simulations ask for the same few counts thousands of times
def _interval(count: int, of: int, confidence: float, sides: Sides, method: Literal["wilson", "exact"]) -> Estimate:
    least = 0.5 if sides == 1 else 0.0  # one side at 95 % is two sides at 90 %
    if not least < confidence < 1:
        raise ValueError(f"confidence {confidence}; expected a number between {least:g} and 1, such as 0.95")
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of}; expected a count from 0 to {of}")
    if of == 0:
        return UNDEFINED
    level = 2 * confidence - 1 if sides == 1 else confidence
    interval = stats.binomtest(count, of).proportion_ci(level, method)
    return Estimate(count / of, float(interval.low), float(interval.high))
