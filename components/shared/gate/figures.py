"""The share of each verdict in one side's answers, by category, in percent."""

from collections import Counter
from collections.abc import Sequence

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.safety_report import CategoryFigures
from components.shared.vocabulary import Verdict


def category_figures(rows: Sequence[AnswerRow]) -> dict[str, CategoryFigures]:
    """The share of each verdict, by category, in the order in which categories occur.

    The five shares of a category add up to 100: no answer is dropped, and unscored is a share of its own.
    """
    figures = {}
    for category in dict.fromkeys(row.category for row in rows):
        members = [row for row in rows if row.category == category]
        counts = Counter(row.verdict for row in members)
        share = {verdict: 100 * counts[verdict] / len(members) for verdict in Verdict}
        figures[category] = CategoryFigures(
            prompts=len({row.prompt_id for row in members}),
            answers=len(members),
            pass_pct=share[Verdict.PASS],
            partial_pct=share[Verdict.PARTIAL],
            fail_pct=share[Verdict.FAIL],
            incoherent_pct=share[Verdict.INCOHERENT],
            unscored_pct=share[Verdict.UNSCORED],
        )
    return figures


def overall_share(verdicts: Sequence[Verdict], verdict: Verdict) -> float:
    """The share of one verdict among all verdicts, in percent; 0 if there are none."""
    return 100 * verdicts.count(verdict) / len(verdicts) if verdicts else 0.0
