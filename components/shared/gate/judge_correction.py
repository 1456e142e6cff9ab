"""Corrects a category's drop for the judge's errors, where `plimsoll judge check` measured them.

A judge's sensitivity and specificity say how much of a drop it hides. Pure functions of artifacts and rows.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import CategoryDelta
from components.shared.artifacts.judge_check import QuotedCheck
from components.shared.statistics.judge_error import JudgeError, corrected_drop
from components.shared.statistics.paired import Drop
from components.shared.vocabulary import Verdict


class Judged(NamedTuple):
    """A category's corrected drop.

    Attributes:
        delta: the corrected drop; None if the judge was not checked, or is blind.
        blind: the judge, if its check shows that it does no better than chance.
    """

    delta: CategoryDelta | None = None
    blind: str | None = None


def judges_of(rows: Iterable[AnswerRow]) -> dict[str, str]:
    """The judge, name@version, that gave most verdicts in each category; `incoherent` is another judge's verdict."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.verdict is not Verdict.INCOHERENT:
            counts[row.category][row.judge] += 1
    return {category: judges.most_common(1)[0][0] for category, judges in counts.items()}


def measured_errors(judge: str, checks: Sequence[QuotedCheck]) -> JudgeError | None:
    """A judge's errors in all of its checks together; None if no failing or no passing answer was labelled."""
    known = [check for check in checks if check.judge == judge]
    errors = JudgeError(
        caught=sum(check.sensitivity.count for check in known),
        failing=sum(check.sensitivity.of for check in known),
        cleared=sum(check.specificity.count for check in known),
        passing=sum(check.specificity.of for check in known),
    )
    return errors if errors.failing and errors.passing else None


def corrected(delta: CategoryDelta, judge: str | None, checks: Sequence[QuotedCheck], confidence: float) -> Judged:
    """The drop, its bounds and its spread corrected for a judge's errors; the levels stay as measured."""
    errors = measured_errors(judge, checks) if judge is not None else None
    if judge is None or errors is None:
        return Judged()
    measured = Drop(delta.prompts, delta.drop_pp, delta.lower_pp, delta.upper_pp, delta.spread_pp)
    drop = corrected_drop(measured, errors, confidence)
    if drop is None:
        return Judged(blind=judge)
    figures = {
        "drop_pp": drop.mean_pp,
        "lower_pp": drop.lower_pp,
        "upper_pp": drop.upper_pp,
        "spread_pp": drop.spread_pp,
    }
    return Judged(delta.model_copy(update=figures))
