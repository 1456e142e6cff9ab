"""Intervals of the drop of a pass rate between two models that gave one answer each to the same prompts.

Two published intervals for a paired difference of proportions, from the counts of a 2 x 2 table. With several answers
per prompt there is no such table: use `paired`. This module does not know what a prompt is.
"""

import math
from typing import NamedTuple

from components.shared.statistics.rates import UNDEFINED, Estimate, Sides, normal_quantile, wilson

_HALVINGS = 60
"""Of an interval of at most 2: below the spacing of floats around 1."""


class PairedTable(NamedTuple):
    """Counts of prompts; as a table [[both_pass, newly_failing], [newly_passing, both_fail]].

    The row is the verdict before, the column the one after, passing first, so that the drop
    (newly_failing - newly_passing) / n is the first row's share minus the first column's.
    """

    both_pass: int
    newly_failing: int
    newly_passing: int
    both_fail: int

    @property
    def prompts(self) -> int:
        """All of them."""
        return sum(self)


def tango(table: PairedTable, confidence: float = 0.95, sides: Sides = 2) -> Estimate:
    """The drop and its score interval (Tango, Statistics in Medicine 17, 1998), all in [-1, 1].

    The bounds are the drops d at which the score statistic (b - c - n d) / sqrt(n (2 q + d (1 - d))) reaches the
    normal quantiles, b newly failing, c newly passing, and q the share newly passing that is most likely where the
    drop is d. It has width where nothing changed: 0 to z²/(n + z²).

    Args:
        table: one verdict before and one after for each prompt; `UNDEFINED` where it is empty.
        confidence: of the interval, or of each bound, e.g. 0.95.
        sides: see `Sides`.

    Raises:
        ValueError: a count is negative, or the confidence is not between 0 and 1.
    """
    z = normal_quantile(confidence, sides)
    if not _checked(table):
        return UNDEFINED
    _, failing, passing, _ = table
    upper = _tango_upper(failing, passing, table.prompts, z)
    lower = -_tango_upper(passing, failing, table.prompts, z)
    return Estimate((failing - passing) / table.prompts, lower, upper)


def newcombe(table: PairedTable, confidence: float = 0.95, sides: Sides = 2) -> Estimate:
    """The drop and its hybrid score interval (Newcombe, Statistics in Medicine 17, 1998, method 10), all in [-1, 1].

    Joins the Wilson intervals of both pass rates by squaring and adding, less what their correlation takes away; the
    correlation is phi of the table with a continuity correction where it is positive.

    Args:
        table: one verdict before and one after for each prompt; `UNDEFINED` where it is empty.
        confidence: of the interval, or of each bound, e.g. 0.95.
        sides: see `Sides`.

    Raises:
        ValueError: a count is negative, or the confidence is not between 0 and 1.
    """
    if not _checked(table):
        return UNDEFINED
    phi, prompts = _corrected_phi(table), table.prompts
    below_first, above_first = _wilson_reach(table.both_pass + table.newly_failing, prompts, confidence, sides)
    below_second, above_second = _wilson_reach(table.both_pass + table.newly_passing, prompts, confidence, sides)
    drop = (table.newly_failing - table.newly_passing) / prompts
    lower = drop - _joined(below_first, above_second, phi)
    upper = drop + _joined(above_first, below_second, phi)
    return Estimate(drop, max(-1.0, lower), min(1.0, upper))


def _tango_upper(failing: int, passing: int, prompts: int, z: float) -> float:
    """The largest drop that the score test does not refute; the statistic falls from 0 as the drop grows."""
    inside, outside = (failing - passing) / prompts, 1.0
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if _score(failing, passing, prompts, middle) > -z:
            inside = middle
        else:
            outside = middle
    return outside


def _score(failing: int, passing: int, prompts: int, drop: float) -> float:
    linear = (2 * prompts - failing + passing) * drop - failing - passing
    root = math.sqrt(max(linear**2 + 8 * prompts * passing * drop * (1 - drop), 0.0))
    most_likely = (root - linear) / (4 * prompts)
    variance = prompts * (2 * most_likely + drop * (1 - drop))
    distance = failing - passing - prompts * drop
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def _corrected_phi(table: PairedTable) -> float:
    both_pass, failing, passing, both_fail = table
    margins = (both_pass + failing) * (passing + both_fail) * (both_pass + passing) * (failing + both_fail)
    if margins == 0:
        return 0.0
    determinant: float = both_pass * both_fail - failing * passing
    if determinant > 0:
        determinant = max(determinant - table.prompts / 2, 0.0)
    return determinant / math.sqrt(margins)


def _wilson_reach(count: int, of: int, confidence: float, sides: Sides) -> tuple[float, float]:
    """How far the Wilson interval reaches below and above the share."""
    interval = wilson(count, of, confidence, sides)
    share, lower, upper = (float(bound or 0.0) for bound in interval)
    return share - lower, upper - share


def _joined(first: float, second: float, phi: float) -> float:
    return math.sqrt(max(first**2 - 2 * phi * first * second + second**2, 0.0))


def _checked(table: PairedTable) -> bool:
    """Whether there is anything to compute from."""
    if min(table) < 0:
        raise ValueError(f"{table} holds a negative count")
    return table.prompts > 0
