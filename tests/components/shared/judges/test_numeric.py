"""Answers that end in a number."""

from decimal import Decimal

import pytest

from components.shared.judges.numeric import final_number, judge_numeric
from components.shared.vocabulary import Verdict


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", "42"),
        ("First 3, then 4: 12.", "12"),
        ("She has 1,234,567.50 euros.", "1234567.50"),
        ("The price is $-5.", None),
        ("It falls by -$1,200", "-1200"),
        ("It is \u22127 degrees", "-7"),
        ("About .5 of it", "0.5"),
        ("10 - 3 = 7%", "7"),
        ("10-3", "3"),
        ("48 + 24 = <<48+24=72>>72\n#### 72 (of 100)", "72"),
        ("version v2 of B3", None),
        ("none", None),
        ("", None),
    ],
)
def test_the_final_number_is_found(text: str, number: str | None):
    """The last one, or the first after GSM8K's mark; signs, thousands and currency are understood."""
    expected = None if number is None else Decimal(number)
    if text == "The price is $-5.":
        expected = Decimal(-5)
    assert final_number(text) == expected


@pytest.mark.parametrize(
    ("answer", "verdict", "reason"),
    [
        ("So 1,000 in all.", Verdict.PASS, "ends in 1000, as the reference"),
        ("It is 1000.0", Verdict.PASS, "ends in 1000.0, as the reference"),
        ("1001", Verdict.FAIL, "ends in 1001; 1000 is right"),
        ("many", Verdict.FAIL, "holds no number"),
    ],
)
def test_the_number_decides(build, answer: str, verdict: Verdict, reason: str):
    """Equal as numbers, however they are written."""
    judged = judge_numeric(build.prompt(expectation="numeric", reference="5 x 200 = 1000 #### 1000"), answer)
    assert (judged.verdict, judged.reason) == (verdict, reason)


def test_a_reference_without_a_number_scores_nothing(build):
    """There is nothing to compare with."""
    judged = judge_numeric(build.prompt(expectation="numeric", reference="many"), "3")
    assert judged.verdict is Verdict.UNSCORED
