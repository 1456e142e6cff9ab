"""Free answers graded by the words that they share with the reference: token F1 and ROUGE-L.

Words, not meaning: a right answer in other words has a low grade, and a wrong one that differs by a "not" a high one.
"""

from collections.abc import Callable

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.judge import Judgement, RuleJudge
from components.shared.judges.similar import IS_PARTIAL, PASSES
from components.shared.statistics.text_overlap import rouge_l, token_f1
from components.shared.vocabulary import Verdict


def graded(score: float, reason: str) -> Judgement:
    """A judgement with a score from 0 to 1, which decides; the verdict is its level, for people."""
    verdict = Verdict.PASS if score >= PASSES else Verdict.PARTIAL if score >= IS_PARTIAL else Verdict.FAIL
    return Judgement(verdict, reason, score=score)


def _by(overlap: Callable[[str, str], float], name: str) -> Callable[[SuitePrompt, str], Judgement]:
    def rule(prompt: SuitePrompt, answer: str) -> Judgement:
        if prompt.reference is None:
            return Judgement(Verdict.UNSCORED, "the prompt has no reference")
        score = overlap(answer, prompt.reference)
        return graded(score, f"{name} {score:.2f} against the reference")

    return rule


TOKEN_F1 = RuleJudge("token_f1", "1", _by(token_f1, "token F1"))
ROUGE_L = RuleJudge("rouge_l", "1", _by(rouge_l, "ROUGE-L"))
