"""Chooses the next dose: bisection towards the drops where the decision changes. Pure.

The drop rises steeply at a dose that is not known in advance. So every new dose halves the interval of doses over which
the measured drop changes most. Drops above a cap count as the cap: there the decision is not in doubt.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

FINEST = 2.0**-12
"""The narrowest interval of doses that is halved."""


class Tried(NamedTuple):
    """A dose and the drop that it caused.

    Attributes:
        dose: weight of the bad adapter, 0 to 1.
        drop_pp: true drop of the worst category, percentage points; None while it is being measured.
    """

    dose: float
    drop_pp: float | None


def next_dose(tried: Sequence[Tried], cap_pp: float, least: float = 0.0) -> float:
    """The next dose to measure.

    The first three doses are 1, the least and the middle between them. Later ones halve an interval between
    neighbours: the one over which the drop changes most, or the widest if no drop changes. For a dose that is still
    being measured, the drop is interpolated between its measured neighbours.

    Args:
        tried: doses so far, in any order.
        cap_pp: drops above this count as this, percentage points.
        least: the smallest dose that can be made.

    Raises:
        ValueError: all intervals are narrower than `FINEST`.
    """
    doses = {trial.dose for trial in tried}
    for first in (1.0, least, (1.0 + least) / 2):
        if first not in doses:
            return first
    known = sorted((trial.dose, min(cap_pp, max(0.0, trial.drop_pp))) for trial in tried if trial.drop_pp is not None)
    points = sorted((dose, _drop_at(dose, known, cap_pp)) for dose in doses)
    gaps = [
        (abs(high[1] - low[1]), high[0] - low[0], low[0]) for low, high in pairwise(points) if high[0] - low[0] > FINEST
    ]
    if not gaps:
        raise ValueError(f"{len(doses)} doses from {least:g} to 1 are tried; no dose is left between them")
    _, width, low = max(gaps)
    return low + width / 2


def _drop_at(dose: float, known: Sequence[tuple[float, float]], cap_pp: float) -> float:
    """The measured drop, or a linear interpolation between neighbours; unmeasured ends are (0, 0) and (1, cap)."""
    below = max((point for point in known if point[0] <= dose), default=(0.0, 0.0))
    above = min((point for point in known if point[0] >= dose), default=(1.0, cap_pp))
    if above[0] <= below[0]:
        return below[1]
    return below[1] + (above[1] - below[1]) * (dose - below[0]) / (above[0] - below[0])
