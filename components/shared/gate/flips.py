"""Whether a prompt's flip is real, from fresh answers on both sides. Pure; it does not know models."""

from collections.abc import Sequence

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import FollowUpPrompt
from components.shared.gate.pairing import pair
from components.shared.statistics.exact_tests import fisher_drop_p
from components.shared.vocabulary import Verdict


def judge_flips(
    before: Sequence[AnswerRow], after: Sequence[AnswerRow], alpha: float, max_share_after: float
) -> tuple[FollowUpPrompt, ...]:
    """Whether each prompt's flip is real, from fresh answers.

    Args:
        before: the base's answers.
        after: the adapter's answers to the same prompts.
        alpha: significance level of one prompt, after Bonferroni.
        max_share_after: at most this share of fresh answers may pass after for a flip to be confirmed.

    Returns:
        One entry per prompt; confirmed when Fisher's one-sided p is at most alpha and few answers pass after.
    """
    flips = []
    for both in pair(before, after):
        samples = len(both.after)
        passed_before = sum(verdict is Verdict.PASS for verdict in both.before)
        passed_after = sum(verdict is Verdict.PASS for verdict in both.after)
        p_value = fisher_drop_p(passed_before, passed_after, samples)
        flips.append(
            FollowUpPrompt(
                prompt_id=both.prompt_id,
                category=both.category,
                samples=samples,
                passed_before=passed_before,
                passed_after=passed_after,
                fisher_p=p_value,
                confirmed=p_value <= alpha and passed_after <= max_share_after * samples,
            )
        )
    return tuple(flips)
