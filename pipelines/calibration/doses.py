"""Which dose to try next: bisection towards the drops at which the gate's mind changes. Pure.

The drop rises steeply somewhere between no change and all gone, and nobody knows where before looking. So every new
dose halves the interval of doses over which the known drop changes most; drops beyond a cap count as the cap, because
a gate's answer to a ruin is not in doubt. This module does not know what a dose is made of.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

FINEST = 2.0**-12
"""Doses closer to each other than this are not told apart."""


class Tried(NamedTuple):
    """A dose, and the drop it caused.

    Attributes:
        dose: from 0, nothing of the bad adapter, to 1, all of it.
        drop_pp: true drop of the worst category, percentage points; None while it is being measured.
    """

    dose: float
    drop_pp: float | None


def next_dose(tried: Sequence[Tried], cap_pp: float, least: float = 0.0) -> float:
    """The next dose.

    The first three are all, the least and half. Later ones halve an interval between tried neighbours: the one over
    which the drop changes most, or the widest where none changes. A dose that is being measured counts with the drop
    that its measured neighbours suggest.

    Args:
        tried: in any order.
        cap_pp: drops above this are alike, percentage points.
        least: the smallest dose that can be made; 0 where no dose is still an adapter.
    """
    doses = {own.dose for own in tried}
    for first in (1.0, least, (1.0 + least) / 2):
        if first not in doses:
            return first
    known = sorted((own.dose, min(cap_pp, max(0.0, own.drop_pp))) for own in tried if own.drop_pp is not None)
    points = sorted((dose, _drop_at(dose, known, cap_pp)) for dose in doses)
    gaps = [
        (abs(high[1] - low[1]), high[0] - low[0], low[0]) for low, high in pairwise(points) if high[0] - low[0] > FINEST
    ]
    if not gaps:
        raise ValueError(f"{len(doses)} doses from {least:g} to 1 are tried; there is none between them")
    _, width, low = max(gaps)
    return low + width / 2


def _drop_at(dose: float, known: Sequence[tuple[float, float]], cap_pp: float) -> float:
    """The measured drop, or a straight line between measured neighbours; before anything is measured, up to the cap."""
    below = max((own for own in known if own[0] <= dose), default=(0.0, 0.0))
    above = min((own for own in known if own[0] >= dose), default=(1.0, cap_pp))
    if above[0] <= below[0]:
        return below[1]
    return below[1] + (above[1] - below[1]) * (dose - below[0]) / (above[0] - below[0])
