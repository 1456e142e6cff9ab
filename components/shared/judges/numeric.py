"""Answers that end in a number, such as those of word problems: the number must be the reference's.

The number is the last one of the text, or the first one after `####` (GSM8K's mark). Understood are a sign, an
exponent, thousands apart by commas, points, apostrophes or narrow spaces (also 1,00,000), a decimal comma, and currency
or units beside it. A single point is a decimal point, a single comma before three digits parts thousands. Words for
numbers, fractions and thousands apart by plain spaces are not read.
"""

import re
from decimal import Decimal, InvalidOperation

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.judge import Judgement, RuleJudge
from components.shared.vocabulary import Verdict

_MARK = "####"
_APART = "'\u2019\u00a0\u202f\u2009"
_NUMBER = re.compile(
    rf"(?:(?<![\w)])[-+\u2212])?\s?[$\u20ac\u00a3]?(?P<digits>\d+(?:[.,{_APART}]\d+)*|(?<!\w)\.\d+)(?P<exponent>[eE][-+]?\d+)?"
)
_PLAIN = re.compile(r"\d*(?:\.\d+)?")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?")
_POINTS = re.compile(r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+")
_COMMA = re.compile(r"\d+,\d+")


def judge_numeric(prompt: SuitePrompt, answer: str) -> Judgement:
    """`pass` for an equal number, `fail` for another or none; `unscored` if the reference has no number."""
    expected = final_number(prompt.reference or "")
    if expected is None:
        return Judgement(Verdict.UNSCORED, "the prompt has no reference with a number")
    found = final_number(answer)
    if found is None:
        return Judgement(Verdict.FAIL, "holds no number that can be read")
    if found == expected:
        return Judgement(Verdict.PASS, f"ends in {found}, as the reference")
    return Judgement(Verdict.FAIL, f"ends in {found}; {expected} is right")


def final_number(text: str) -> Decimal | None:
    """The number that a text ends in; None if it has none, or one that is written in an unknown way."""
    before, mark, after = text.rpartition(_MARK)
    if mark and (first := _NUMBER.search(after)):
        return _value(first)
    found = list(_NUMBER.finditer(before if mark else text))
    return _value(found[-1]) if found else None


def _value(match: re.Match[str]) -> Decimal | None:
    digits = re.sub(f"[{_APART}]", "", match["digits"])
    if _PLAIN.fullmatch(digits):
        plain = digits
    elif _THOUSANDS.fullmatch(digits):
        plain = digits.replace(",", "")
    elif _POINTS.fullmatch(digits) or _COMMA.fullmatch(digits):
        plain = digits.replace(".", "").replace(",", ".")
    else:
        return None
    try:
        number = Decimal(plain + (match["exponent"] or ""))
    except InvalidOperation:  # an exponent beyond all numbers
        return None
    return number.copy_negate() if match.group().lstrip()[:1] in {"-", "\u2212"} else number


NUMERIC = RuleJudge("numeric", "1", judge_numeric)
