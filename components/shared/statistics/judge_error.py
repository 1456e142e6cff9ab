"""What a judge's known errors do to a share and to a paired drop.

A judge that recognises a share Se of failing answers (sensitivity) and clears a share Sp of passing ones (specificity)
reports a failing share of p Se + (1 - p)(1 - Sp) where it is p (Rogan and Gladen, American Journal of Epidemiology
107, 1978). A drop between two models shrinks to J times itself, J = Se + Sp - 1 (Youden), if the judge errs alike on
both. Se and Sp come from a labelled sample and are uncertain themselves; every bound here takes that in.
This module does not know who the judge is.
"""

import math
from typing import NamedTuple

from components.shared.statistics.paired import Drop
from components.shared.statistics.rates import UNDEFINED, Estimate, clopper_pearson, normal_quantile


class JudgeError(NamedTuple):
    """A judge against labels: recognised of the failing answers, cleared of the passing ones."""

    found: int
    failing: int
    cleared: int
    passing: int


def youden(judge: JudgeError, confidence: float = 0.95) -> Estimate:
    """J = Se + Sp - 1 with bounds that hold at the confidence each on its own; in [-1, 1].

    Joins the one-sided Clopper-Pearson bounds of Se and Sp by squaring and adding their distances (Zou and Donner,
    Statistics in Medicine 27, 2008; Newcombe's method 10 for the difference of two independent shares).

    Args:
        judge: counts; `UNDEFINED` where no failing or no passing answer was labelled.
        confidence: of each bound.

    Raises:
        ValueError: a count is impossible, or the confidence not between 0 and 1.
    """
    sensitivity = clopper_pearson(judge.found, judge.failing, confidence, 1)
    specificity = clopper_pearson(judge.cleared, judge.passing, confidence, 1)
    if sensitivity.value is None or specificity.value is None:
        return UNDEFINED
    below = math.hypot(*(_distance(share.value, share.lower) for share in (sensitivity, specificity)))
    above = math.hypot(*(_distance(share.value, share.upper) for share in (sensitivity, specificity)))
    value = sensitivity.value + specificity.value - 1
    return Estimate(value, max(-1.0, value - below), min(1.0, value + above))


def corrected_drop(drop: Drop, judge: JudgeError, confidence: float) -> Drop | None:
    """The true drop behind one that this judge saw: the seen one over J.

    Bounds where the interval of the seen drop reaches over 0: the ratio of the drop and J by the method of variance
    estimates recovery (Donner and Zou, Statistical Methods in Medical Research 21, 2012), which solves
    R J - D = sqrt((D - bound of D)² + R² (J - lower bound of J)²) for R. Where it lies on one side of 0, its nearer
    bound: a lower bound above 0 is divided by J's upper bound, and an upper bound below 0 stays, since J is at most 1.

    The upper bound is never below the uncorrected one, and never falls where the drop or its upper bound rises: a
    known error of the judge does not make a gate laxer. In simulations (50 and 200 prompts, one answer each, 20 to 200
    labels of a kind, Se 0.7 to 0.95, Sp 0.9 to 0.99, drops of 0 to 20 pp; 1,000 runs per setting) bounds at 95 % missed
    the true drop in 0 to 5.1 % of the runs.

    Args:
        drop: as seen through the judge, with bounds at `confidence`.
        judge: counts from labelled answers like these; independent of the drop.
        confidence: of each bound on its own.

    Returns:
        None where J's lower bound is at or below 0, or one kind of label is missing: the judge tells nothing. The
        spread over prompts is divided by J as well; drops and bounds stay in [-100, 100].

    Raises:
        ValueError: a count is impossible, or the confidence not between 0 and 1.
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


def corrected_share(count: int, of: int, judge: JudgeError, confidence: float = 0.95) -> Estimate:
    """The true failing share behind a seen one, with a two-sided interval, all in [0, 1].

    The value is that of Rogan and Gladen, (seen + Sp - 1) / J. The interval is that of Lang and Reiczigel (Preventive
    Veterinary Medicine 113, 2014): normal, on counts with pseudo-observations (z²/2 on each side of the seen share,
    1 on each side of Se and Sp), and shifted towards the skew.

    Args:
        count: answers seen as failing.
        of: answers judged; independent of each other, so one per prompt.
        judge: counts from labelled answers like these.
        confidence: of the interval.

    Returns:
        `UNDEFINED` where nothing was judged, one kind of label is missing, or J is at or below 0.

    Raises:
        ValueError: a count is impossible, or the confidence not between 0 and 1.
    """
    raw, seen = youden(judge, confidence).value, clopper_pearson(count, of, confidence).value
    if raw is None or seen is None or raw <= 0:
        return UNDEFINED
    z = normal_quantile(confidence, 2)
    sensitivity, specificity = (judge.found + 1) / (judge.failing + 2), (judge.cleared + 1) / (judge.passing + 2)
    smoothed, total, j = (count + z**2 / 2) / (of + z**2), of + z**2, sensitivity + specificity - 1
    share = (smoothed + specificity - 1) / j
    of_found = sensitivity * (1 - sensitivity) / (judge.failing + 2)
    of_cleared = specificity * (1 - specificity) / (judge.passing + 2)
    shift = 2 * z**2 * (share * of_found - (1 - share) * of_cleared)
    variance = smoothed * (1 - smoothed) / total + share**2 * of_found + (1 - share) ** 2 * of_cleared
    reach = z * math.sqrt(variance) / j
    value = _share((seen + judge.cleared / judge.passing - 1) / raw)
    return Estimate(value, min(value, _share(share + shift - reach)), max(value, _share(share + shift + reach)))


def _farther(mean: float, bound: float, share: float, lowest: float) -> float:
    """The positive upper bound of mean / share, from the mean's upper bound and the share's lower one."""
    room = lowest * (2 * share - lowest)
    reach = (mean * share) ** 2 - room * (mean**2 - (bound - mean) ** 2)
    return (mean * share + math.sqrt(max(reach, 0.0))) / room


def _distance(value: float | None, bound: float | None) -> float:
    return abs((value or 0.0) - (bound or 0.0))


def _percentage(value: float) -> float:
    return min(100.0, max(-100.0, value))


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
