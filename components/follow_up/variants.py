"""Chooses the variants to ask within a budget, and sums up their answers. Pure.

The figures show in which frames a category fails, before and after; they decide nothing. The prompts that dropped most
are asked first, so with a small budget the shares are about the worst prompts of a category, not about all of them.
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
        prompt: the original prompt, with which the answers are judged.
        frame: the frame around it.
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
        """The prompt for the model; category and expectation are the original's."""
        changes = {"id": self.id, "prompt": self.frame.around(self.prompt.prompt), "samples": self.samples}
        return self.prompt.model_copy(update=changes)


def plan_variants(
    prompts: Sequence[SuitePrompt], delta: DeltaReport, flagged: Sequence[str], budget: int, samples: int
) -> list[Variant]:
    """The variants to ask, sorted by category and then by frame.

    The budget is shared evenly over flagged categories and frames, and within those over prompts: each gets one answer
    before any gets a second. A share that cannot be used goes to the others.

    Args:
        prompts: all prompts of the run.
        delta: gives the order of prompts: escalated ones by drop, then newly failing ones, then by id.
        flagged: the categories whose prompts are asked.
        budget: most answers per side.
        samples: most answers per variant, for a prompt that has no number of its own.
    """
    drops = {escalated.prompt_id: escalated.drop for escalated in delta.escalated}
    failing = {prompt_id for change in delta.categories.values() for prompt_id in change.newly_failing}
    ranked = sorted(prompts, key=lambda prompt: (-drops.get(prompt.id, 0.0), prompt.id not in failing, prompt.id))
    cells = [
        (frame, [each for each in ranked if each.category == category and each.expectation in frame.expectations])
        for frame in FRAMES
        for category in flagged
    ]
    capacities = [[prompt.draws(samples) for prompt in members] for _, members in cells]
    shares = share_evenly(budget, [sum(draws) for draws in capacities])
    variants = [
        Variant(prompt, frame, count)
        for (frame, members), draws, share in zip(cells, capacities, shares, strict=True)
        for prompt, count in zip(members, share_evenly(share, draws), strict=True)
        if count
    ]
    return sorted(variants, key=lambda variant: variant.prompt.category)


def share_evenly(budget: int, capacities: Sequence[int]) -> list[int]:
    """Shares of a budget, as equal as the capacities allow; a remainder goes to the first ones.

    Args:
        budget: the total to share.
        capacities: the most that each can use.

    Returns:
        One share per capacity, not above it; their sum is the smaller of the budget and the sum of capacities.
    """
    shares = [0] * len(capacities)
    while budget > 0 and (unfilled := [n for n, capacity in enumerate(capacities) if shares[n] < capacity]):
        portion = max(1, budget // len(unfilled))
        for place in unfilled:
            added = min(portion, capacities[place] - shares[place], budget)
            shares[place] += added
            budget -= added
    return shares


def variant_figures(
    variants: Sequence[Variant], before: Sequence[AnswerRow], after: Sequence[AnswerRow]
) -> tuple[VariantFigures, ...]:
    """How often each category fails in each frame.

    Args:
        variants: the variants that were asked, sorted by category and then by frame.
        before: the base's answers.
        after: the adapter's answers.

    Returns:
        One entry per category and frame. An unscored answer counts as failing.
    """
    failed_before, failed_after = _failures(before), _failures(after)
    cells = groupby(variants, key=lambda variant: (variant.prompt.category, variant.frame.name))
    return tuple(_figures(list(members), failed_before, failed_after) for _, members in cells)


def _failures(rows: Sequence[AnswerRow]) -> dict[str, int]:
    failures: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        failures[row.prompt_id] += row.verdict is not Verdict.PASS
    return failures


def _figures(variants: Sequence[Variant], before: Mapping[str, int], after: Mapping[str, int]) -> VariantFigures:
    answers = sum(each.samples for each in variants)
    rises = sorted(((after[each.id] - before[each.id]) / -each.samples, each.prompt.id) for each in variants)
    return VariantFigures(
        category=variants[0].prompt.category,
        variant=variants[0].frame.name,
        prompts=len(variants),
        answers=answers,
        failed_before_pct=100 * sum(before[each.id] for each in variants) / answers,
        failed_after_pct=100 * sum(after[each.id] for each in variants) / answers,
        look_at=tuple(prompt_id for negative_rise, prompt_id in rises[:_LOOK_AT] if negative_rise < 0),
    )
