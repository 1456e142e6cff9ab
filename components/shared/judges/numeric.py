"""Answers that end in a number, such as those of word problems: the number must be the reference's.

The number is the first one after `####` (GSM8K's mark), else the last one of the text. A sign, thousands separated by
commas, and a currency or percent sign beside it are understood; words for numbers and fractions are not.
"""

import re
from decimal import Decimal

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.judge import Judgement, RuleJudge
from components.shared.vocabulary import Verdict

_MARK = "####"
_NUMBER = re.compile(r"(?<![\w.,])[-+\u2212]?[$\u20ac\u00a3]?(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)")


def judge_numeric(prompt: SuitePrompt, answer: str) -> Judgement:
    """`pass` for an equal number, `fail` for another or none; `unscored` if the reference has no number."""
    expected = final_number(prompt.reference or "")
    if expected is None:
        return Judgement(Verdict.UNSCORED, "the prompt has no reference with a number")
    found = final_number(answer)
    if found is None:
        return Judgement(Verdict.FAIL, "holds no number")
    if found == expected:
        return Judgement(Verdict.PASS, f"ends in {found}, as the reference")
    return Judgement(Verdict.FAIL, f"ends in {found}; {expected} is right")


def final_number(text: str) -> Decimal | None:
    """The number that a text ends in; None if it has none."""
    marked = text.rpartition(_MARK)
    found = [match.group() for match in _NUMBER.finditer(marked[2])]
    if not found:
        return None
    number = found[0] if marked[1] else found[-1]
    return Decimal(re.sub(r"[,+$\u20ac\u00a3]", "", number).replace("\u2212", "-"))


NUMERIC = RuleJudge("numeric", "1", judge_numeric)
