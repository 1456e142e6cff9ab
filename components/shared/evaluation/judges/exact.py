"""Task rows: the answer must be the reference, up to case and spacing."""

from components.shared.artifacts.evaluation import SuitePrompt, Verdict
from components.shared.evaluation.judges.judge import Judgement


class ExactMatchJudge:
    """`pass` for an exact match, `fail` otherwise; a prompt without a reference is `unscored`."""

    name = "exact_match"
    version = "1"

    def judge(self, prompt: SuitePrompt, answer: str) -> Judgement:
        """See the class."""
        if prompt.reference is None:
            return Judgement(Verdict.UNSCORED, "the prompt has no reference")
        if _spaced(answer) == _spaced(prompt.reference):
            return Judgement(Verdict.PASS, "equals the reference")
        return Judgement(Verdict.FAIL, "differs from the reference")


def _spaced(text: str) -> str:
    return " ".join(text.casefold().split())
