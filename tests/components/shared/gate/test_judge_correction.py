"""Verdicts of an erring judge hide some of a drop; where its errors were measured, they are given back."""

import pytest

from components.shared.artifacts.judge_check import QuotedCheck, Score, Share
from components.shared.gate.judge_correction import corrected, judges_of, measured_errors

NONE = Score(value=None, lower=None, upper=None)


def share(count: int, of: int) -> Share:
    return Share(
        count=count, of=of, value=count / of if of else None, lower=0.0 if of else None, upper=1.0 if of else None
    )


def check(judge: str, caught: tuple[int, int], cleared: tuple[int, int]) -> QuotedCheck:
    return QuotedCheck(
        judge=judge,
        labels_file="labels.csv",
        answers=max(1, caught[1] + cleared[1]),
        accuracy=share(1, 1),
        sensitivity=share(*caught),
        specificity=share(*cleared),
        kappa=NONE,
    )


def test_the_judge_of_a_category_is_the_one_that_gave_most_verdicts(build):
    """Incoherence is the coherence judge's word and does not count."""
    rows = [
        build.row("a", 0, judge="refusal@4"),
        build.row("a", 1, "incoherent", judge="coherence@3"),
        build.row("a", 2, "incoherent", judge="coherence@3"),
        build.row("b", 0, category="domain", judge="caveat@4"),
    ]
    assert judges_of(rows) == {"direct": "refusal@4", "domain": "caveat@4"}


def test_all_checks_of_a_judge_are_taken_together():
    """Counts add up; other judges and versions are left out; one class alone says nothing."""
    checks = [check("r@4", (45, 50), (90, 100)), check("r@4", (30, 50), (10, 10)), check("r@3", (1, 50), (1, 50))]
    assert measured_errors("r@4", checks) == (75, 100, 100, 110)
    assert measured_errors("r@5", checks) is None
    assert measured_errors("x@1", [check("x@1", (5, 5), (0, 0))]) is None


def test_a_drop_is_enlarged_by_what_the_judge_misses(build):
    """Sensitivity and specificity of 90 % hide a fifth of a drop; levels stay as judged."""
    delta = build.delta(drop_pp=4.0, lower_pp=2.0, upper_pp=6.0)
    judged = corrected(delta, "r@4", [check("r@4", (900, 1000), (900, 1000))], 0.95)
    assert judged.blind is None
    assert judged.delta is not None
    assert judged.delta.drop_pp == pytest.approx(5.0)
    assert judged.delta.upper_pp > 7.5
    assert judged.delta.after_pct == delta.after_pct


def test_a_judge_without_discrimination_is_blind(build):
    """A judge that is right as often as a coin gives no corrected change, and is named."""
    judged = corrected(build.delta(), "r@4", [check("r@4", (50, 100), (50, 100))], 0.95)
    assert (judged.delta, judged.blind) == (None, "r@4")


def test_without_a_check_verdicts_count_as_they_are(build):
    """Nothing is corrected by a guess."""
    assert corrected(build.delta(), "r@4", [], 0.95) == (None, None)
    assert corrected(build.delta(), None, [check("r@4", (9, 10), (9, 10))], 0.95) == (None, None)
