"""Whether fresh answers confirm that a prompt newly fails. Pure functions of rows."""

from collections.abc import Iterable

from components.shared.artifacts.comparison import FollowUpPrompt
from components.shared.gate.pairing import PromptPair
from components.shared.statistics.exact_tests import fisher_drop_p
from components.shared.vocabulary import Verdict


def judge_flips(fresh: Iterable[PromptPair], alpha: float, max_share_after: float) -> tuple[FollowUpPrompt, ...]:
    """Whether each prompt's flip is confirmed by its fresh answers.

    Args:
        fresh: the prompts that were asked again, with the verdicts on their fresh answers.
        alpha: significance level of one prompt, after Bonferroni.
        max_share_after: a flip is confirmed only if at most this share of the fresh answers passes after.

    Returns:
        One entry per prompt; confirmed if Fisher's one-sided p is at most alpha and few answers pass after.
    """
    flips = []
    for pair in fresh:
        samples = len(pair.after)
        passed_before, passed_after = pair.before.count(Verdict.PASS), pair.after.count(Verdict.PASS)
        p_value = fisher_drop_p(passed_before, passed_after, samples)
        flips.append(
            FollowUpPrompt(
                prompt_id=pair.prompt_id,
                category=pair.category,
                samples=samples,
                passed_before=passed_before,
                passed_after=passed_after,
                fisher_p=p_value,
                confirmed=p_value <= alpha and passed_after <= max_share_after * samples,
            )
        )
    return tuple(flips)
