"""Corrects a paired drop for a judge's known errors.

A judge that finds a share Se of the failing answers (sensitivity) and clears a share Sp of the passing ones
(specificity) reports the failing share p Se + (1 - p)(1 - Sp) if the true one is p (Rogan and Gladen, American Journal
of Epidemiology 107, 1978). So it sees J times the true drop between two models, J = Se + Sp - 1 (Youden), if its errors
are the same on both. Se and Sp come from a labelled sample and are uncertain; every bound here includes that.
"""

import math
from typing import NamedTuple

from components.shared.statistics.paired import Drop
from components.shared.statistics.rates import UNDEFINED, Estimate, clopper_pearson


class JudgeError(NamedTuple):
    """A judge against people's labels: `caught` of `failing` answers judged failing, `cleared` of `passing` passing."""

    caught: int
    failing: int
    cleared: int
    passing: int


def youden(judge: JudgeError, confidence: float = 0.95) -> Estimate:
    """J = Se + Sp - 1 in [-1, 1]; each bound alone holds at the confidence.

    Joins the one-sided Clopper-Pearson bounds of Se and Sp by squaring and adding their distances (Zou and Donner,
    Statistics in Medicine 27, 2008; Newcombe's method 10 for the difference of two independent shares).

    Args:
        judge: counts; `UNDEFINED` if no failing or no passing answer was labelled.
        confidence: of each bound, above 0.5.

    Raises:
        ValueError: a count or the confidence is impossible.
    """
    sensitivity = clopper_pearson(judge.caught, judge.failing, confidence, 1)
    specificity = clopper_pearson(judge.cleared, judge.passing, confidence, 1)
    if sensitivity.value is None or specificity.value is None:
        return UNDEFINED
    below = math.hypot(*(_distance(share.value, share.lower) for share in (sensitivity, specificity)))
    above = math.hypot(*(_distance(share.value, share.upper) for share in (sensitivity, specificity)))
    value = sensitivity.value + specificity.value - 1
    return Estimate(value, max(-1.0, value - below), min(1.0, value + above))


def corrected_drop(drop: Drop, judge: JudgeError, confidence: float) -> Drop | None:
    """The true drop, from the drop that this judge measured: the measured one divided by J.

    If the measured interval includes 0, the bounds are those of the ratio of drop and J, by the method of variance
    estimates recovery (Donner and Zou, Statistical Methods in Medical Research 21, 2012), which solves
    R J - D = sqrt((D - bound of D)² + R² (J - lower bound of J)²) for R. If it does not, the bound nearer to 0 is
    simpler: a lower bound above 0 is divided by J's upper bound; an upper bound below 0 stays, because J is at most 1.

    The upper bound is never below the uncorrected one, and never falls if the drop or its upper bound rises: a known
    error of the judge does not make the gate laxer. In simulations (50 and 200 prompts, one answer each, 20 to 200
    labels of a kind, Se 0.7 to 0.95, Sp 0.9 to 0.99, drops of 0 to 20 pp; 1,000 runs per setting) bounds at 95 % missed
    the true drop in 0 to 5.1 % of the runs.

    Args:
        drop: the measured drop, with bounds at `confidence`.
        judge: counts from labelled answers of the same kind; independent of the drop.
        confidence: of each bound on its own, above 0.5.

    Returns:
        None if J's lower bound is at or below 0, or one kind of label is missing: then verdicts carry no information.
        The spread over prompts is divided by J too; drops and bounds stay in [-100, 100].

    Raises:
        ValueError: a count or the confidence is impossible.
    """
    share, lowest, highest = youden(judge, confidence)
    if share is None or lowest is None or highest is None or lowest <= 0:
        return None
    upper = _farther(drop.mean_pp, drop.upper_pp, share, lowest) if drop.upper_pp > 0 else drop.upper_pp
    lower = drop.lower_pp / highest
    if drop.lower_pp < 0:
        lower = -_farther(-drop.mean_pp, -drop.lower_pp, share, lowest)
    return Drop(
        prompts=drop.prompts,
        mean_pp=_percentage(drop.mean_pp / share),
        lower_pp=_percentage(lower),
        upper_pp=_percentage(max(upper, drop.upper_pp)),
        spread_pp=drop.spread_pp / share,
    )


def _farther(mean: float, bound: float, share: float, lowest: float) -> float:
    """The positive upper bound of mean / share, from the mean's upper bound and the share's lower one."""
    room = lowest * (2 * share - lowest)
    reach = (mean * share) ** 2 - room * (mean**2 - (bound - mean) ** 2)
    return (mean * share + math.sqrt(max(reach, 0.0))) / room


def _distance(value: float | None, bound: float | None) -> float:
    return abs((value or 0.0) - (bound or 0.0))


def _percentage(value: float) -> float:
    return min(100.0, max(-100.0, value))
