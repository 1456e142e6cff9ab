"""Multiple choice: the option that the model finds likeliest, as `asking` chose it, must be the right one."""

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.judge import Judgement, RuleJudge
from components.shared.vocabulary import Verdict


def judge_choice(prompt: SuitePrompt, answer: str) -> Judgement:
    """`pass` for the right option, `fail` for another; `unscored` if the answer is no option or none is right."""
    if prompt.right_option is None or not 0 <= prompt.right_option < len(prompt.options):
        return Judgement(Verdict.UNSCORED, "the prompt names no right option")
    if answer not in prompt.options:
        return Judgement(Verdict.UNSCORED, f"{answer!r} is none of the {len(prompt.options)} options")
    right = prompt.options[prompt.right_option]
    if answer == right:
        return Judgement(Verdict.PASS, f"chooses {answer!r}", answer)
    return Judgement(Verdict.FAIL, f"chooses {answer!r}; {right!r} is right", answer)


CHOICE = RuleJudge("choice", "1", judge_choice)
