"""Which variants of which prompts are asked within a budget, and what their answers show. Pure.

The figures tell extent and nature: in which ways of asking a category fails, before and after. The prompts that fell
most are asked first, so under a small budget the shares are about the worst prompts of a category, not about all of
it; they decide nothing. This module does not know models or judges.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from components.follow_up.frames import FRAMES, Frame
from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import DeltaReport, VariantFigures
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.vocabulary import Verdict

_LOOK_AT = 5


class Variant(NamedTuple):
    """A prompt in a frame.

    Attributes:
        prompt: the original; its expectation is what the answers are judged by.
        frame: how it is asked.
        samples: answers per side.
    """

    prompt: SuitePrompt
    frame: Frame
    samples: int

    @property
    def id(self) -> str:
        """Such as `d-017~persona`."""
        return f"{self.prompt.id}~{self.frame.name}"

    @property
    def asked(self) -> SuitePrompt:
        """The prompt as the model sees it; category and expectation are the original's."""
        changes = {"id": self.id, "prompt": self.frame.around(self.prompt.prompt), "samples": self.samples}
        return self.prompt.model_copy(update=changes)


def plan_variants(
    prompts: Sequence[SuitePrompt], delta: DeltaReport, flagged: Sequence[str], budget: int, samples: int
) -> list[Variant]:
    """The variants to ask, category by category and frame by frame.

    The budget is shared evenly over flagged categories and frames, and within those over prompts: one answer to each
    before any prompt gets a second. What one cannot use goes to the others.

    Args:
        prompts: all prompts of the run.
        delta: says which prompts fell: escalated ones by their drop, then newly failing ones, then by id.
        flagged: the categories to look into.
        budget: answers per side, at most.
        samples: answers per variant, at most, where a prompt does not say.
    """
    drops = {escalated.prompt_id: escalated.drop for escalated in delta.escalated}
    failing = {prompt_id for change in delta.categories.values() for prompt_id in change.newly_failing}
    ranked = sorted(prompts, key=lambda own: (-drops.get(own.id, 0.0), own.id not in failing, own.id))
    cells = [
        (frame, [own for own in ranked if own.category == category and own.expectation in frame.expectations])
        for frame in FRAMES
        for category in flagged
    ]
    shares = share_evenly(budget, [sum(own.draws(samples) for own in members) for _, members in cells])
    variants = [
        Variant(own, frame, count)
        for (frame, members), share in zip(cells, shares, strict=True)
        for own, count in zip(members, share_evenly(share, [own.draws(samples) for own in members]), strict=True)
        if count
    ]
    return sorted(variants, key=lambda variant: variant.prompt.category)


def share_evenly(budget: int, capacities: Sequence[int]) -> list[int]:
    """Shares of a budget, as equal as the capacities allow; a remainder goes to the first ones.

    Args:
        budget: what there is to share.
        capacities: the most that each can use.

    Returns:
        One share per capacity, not above it; their sum is the budget, or all capacities where that is less.
    """
    shares = [0] * len(capacities)
    while budget > 0 and (hungry := [n for n, capacity in enumerate(capacities) if shares[n] < capacity]):
        portion = max(1, budget // len(hungry))
        for place in hungry:
            given = min(portion, capacities[place] - shares[place], budget)
            shares[place] += given
            budget -= given
    return shares


def variant_figures(
    variants: Sequence[Variant], before: Sequence[AnswerRow], after: Sequence[AnswerRow]
) -> tuple[VariantFigures, ...]:
    """How often each category fails in each frame.

    Args:
        variants: what was asked, category by category and frame by frame.
        before: the base's answers.
        after: the adapter's answers.

    Returns:
        One entry per category and frame. An answer that no judge could score does not pass.
    """
    failed_before, failed_after = _failures(before), _failures(after)
    cells = groupby(variants, key=lambda variant: (variant.prompt.category, variant.frame.name))
    return tuple(_figures(list(own), failed_before, failed_after) for _, own in cells)


def _failures(rows: Sequence[AnswerRow]) -> dict[str, int]:
    failures: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        failures[row.prompt_id] += row.verdict is not Verdict.PASS
    return failures


def _figures(variants: Sequence[Variant], before: Mapping[str, int], after: Mapping[str, int]) -> VariantFigures:
    answers = sum(own.samples for own in variants)
    rises = sorted((-(after[own.id] - before[own.id]) / own.samples, own.prompt.id) for own in variants)
    return VariantFigures(
        category=variants[0].prompt.category,
        variant=variants[0].frame.name,
        prompts=len(variants),
        answers=answers,
        failed_before_pct=100 * sum(before[own.id] for own in variants) / answers,
        failed_after_pct=100 * sum(after[own.id] for own in variants) / answers,
        look_at=tuple(prompt_id for fall, prompt_id in rises[:_LOOK_AT] if fall < 0),
    )
