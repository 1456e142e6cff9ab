"""Task rows with a free answer: how many words it shares with the reference.

Words, not meaning: a right answer in other words fails, and a wrong one that differs by a "not" passes.
"""

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.judge import Judgement, RuleJudge
from components.shared.statistics.text_overlap import token_f1
from components.shared.vocabulary import Verdict

PASSES = 0.8
"""Least token F1 of a `pass`."""
IS_PARTIAL = 0.4
"""Least token F1 of a `partial`."""


def judge_similar(prompt: SuitePrompt, answer: str) -> Judgement:
    """`pass`, `partial` or `fail` by the SQuAD token F1, which is the score; `unscored` without a reference."""
    if prompt.reference is None:
        return Judgement(Verdict.UNSCORED, "the prompt has no reference")
    score = token_f1(answer, prompt.reference)
    verdict = Verdict.PASS if score >= PASSES else Verdict.PARTIAL if score >= IS_PARTIAL else Verdict.FAIL
    return Judgement(verdict, f"token F1 {score:.2f} against the reference", score=score)


SIMILAR = RuleJudge("similar", "1", judge_similar)
