"""Task rows: the answer must be the reference, up to case and spacing."""

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.judge import Judgement, RuleJudge
from components.shared.vocabulary import Verdict


def judge_exact_match(prompt: SuitePrompt, answer: str) -> Judgement:
    """`pass` for an exact match, `fail` otherwise; a prompt without a reference is `unscored`."""
    if prompt.reference is None:
        return Judgement(Verdict.UNSCORED, "the prompt has no reference")
    if _spaced(answer) == _spaced(prompt.reference):
        return Judgement(Verdict.PASS, "equals the reference")
    return Judgement(Verdict.FAIL, "differs from the reference")


def _spaced(text: str) -> str:
    return " ".join(text.casefold().split())


EXACT_MATCH = RuleJudge("exact_match", "1", judge_exact_match)
