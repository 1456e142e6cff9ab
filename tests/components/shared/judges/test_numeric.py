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
        ("a lakh is 1,00,000", "100000"),
        ("1.234.567,50 EUR", "1234567.50"),
        ("1.234,50", "1234.50"),
        ("1'234 and 1\u202f234\u202f567", "1234567"),
        ("3,75 EUR", "3.75"),
        ("1,234", "1234"),
        ("1.234", "1.234"),
        ("The price is $-5.", "-5"),
        ("It falls by -$1,200", "-1200"),
        ("It is \u22127 degrees", "-7"),
        ("About .5 of it", "0.5"),
        ("It is 1.5e3", "1500"),
        ("10 - 3 = 7%", "7"),
        ("10-3", "3"),
        ("(2)-3", "3"),
        ("USD42, that is Rs.500", "500"),
        ("48 + 24 = <<48+24=72>>72\n#### 72 (of 100)", "72"),
        ("The answer is 7 ####", "7"),
        ("1,2,3", None),
        ("1.2.3", None),
        ("none", None),
        ("1e9999999999999999999999", None),
        ("It is -1e999999999", "-1e999999999"),
        ("-1234567890123456789012345678901234567890", "-1234567890123456789012345678901234567890"),
        ("", None),
    ],
)
def test_the_final_number_is_found(text: str, number: str | None):
    """The last one, or the first after GSM8K's mark; what cannot be read for certain is no number."""
    assert final_number(text) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("answer", "verdict", "reason"),
    [
        ("So 1,000 in all.", Verdict.PASS, "ends in 1000, as the reference"),
        ("It is 1000.0", Verdict.PASS, "ends in 1000.0, as the reference"),
        ("1001", Verdict.FAIL, "ends in 1001; 1000 is right"),
        ("many", Verdict.FAIL, "holds no number that can be read"),
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
