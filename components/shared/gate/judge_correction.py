"""What a category's change looks like once the judge's measured errors are taken into account.

Where `plimsoll judge check` compared a judge with people's labels, its sensitivity and specificity say how much of
a drop it hides. Pure functions of artifacts and rows.
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
    """A category's change after correction.

    Attributes:
        delta: the corrected change; None where there is nothing to correct with.
        blind: the judge, where its check shows that its verdicts tell nothing.
    """

    delta: CategoryDelta | None = None
    blind: str | None = None


def judges_of(rows: Iterable[AnswerRow]) -> dict[str, str]:
    """The judge, name@version, that gave most verdicts in each category; incoherence is another judge's word."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.verdict is not Verdict.INCOHERENT:
            counts[row.category][row.judge] += 1
    return {category: own.most_common(1)[0][0] for category, own in counts.items()}


def measured_errors(judge: str, checks: Sequence[QuotedCheck]) -> JudgeError | None:
    """What is known about a judge from all of its checks together; None where one class was never labelled."""
    own = [check for check in checks if check.judge == judge]
    failing = sum(check.sensitivity.of for check in own)
    passing = sum(check.specificity.of for check in own)
    if not (failing and passing):
        return None
    found = sum(check.sensitivity.count for check in own)
    return JudgeError(found, failing, sum(check.specificity.count for check in own), passing)


def corrected(delta: CategoryDelta, judge: str | None, checks: Sequence[QuotedCheck], confidence: float) -> Judged:
    """The change with drop, bounds and spread corrected for a judge's errors; its levels stay as judged."""
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
