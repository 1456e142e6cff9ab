"""The interval of a share: so many of so many. It does not know what is counted.

The counted things are taken as independent; where they come in clusters, the interval is too narrow.
"""

import math
from typing import NamedTuple

from scipy import stats


class Estimate(NamedTuple):
    """A number between two-sided bounds; None where there is nothing to compute it from, which is not 0."""

    value: float | None
    lower: float | None
    upper: float | None


UNDEFINED = Estimate(None, None, None)
"""What a figure is that rests on no observation."""


def wilson(count: int, of: int, confidence: float = 0.95) -> Estimate:
    """A share and its two-sided Wilson score interval, all in [0, 1].

    (p + z²/2n ± z sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n) for the share p of n and the normal quantile z (Wilson,
    JASA 22, 1927; recommended for small n by Brown, Cai and DasGupta, Statistical Science 16, 2001). Unlike
    p ± z·SE it has width at 0 of n and at n of n.

    Args:
        count: how many have the property.
        of: how many there are; `UNDEFINED` for 0.
        confidence: of the interval, e.g. 0.95.

    Raises:
        ValueError: the count is not between 0 and `of`, or the confidence not between 0 and 1.
    """
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of}; expected a count from 0 to {of}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence}; expected a number between 0 and 1, such as 0.95")
    if of == 0:
        return UNDEFINED
    share, z = count / of, float(stats.norm.ppf(0.5 + confidence / 2))
    middle = share + z**2 / (2 * of)
    reach = z * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    scale = 1 + z**2 / of
    lower = 0.0 if count == 0 else (middle - reach) / scale
    upper = 1.0 if count == of else (middle + reach) / scale
    return Estimate(share, lower, upper)
