"""The noise of each category's pass rate: one model against itself, with another seed. Pure functions of rows."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.safety_report import NoiseFloor
from components.shared.gate.pairing import PromptPair, by_category, pair

_TWO_SIDED_95 = 1.96
"""97.5 % quantile of the normal distribution."""


def noise_floor(first: Sequence[AnswerRow], second: Sequence[AnswerRow]) -> dict[str, NoiseFloor]:
    """The A/A difference of every category, in the order in which categories occur.

    Computed over prompts, like a drop (`statistics.paired`): D is the share of a prompt's answers that pass in the
    first pass minus the share in the second, and the reach is 1.96 sd(D) / sqrt(prompts); it is 0 if no prompt moved.
    Unlike in `PromptPair.drop`, an unscored answer passes in neither pass, so swapping the passes only changes the sign
    of the drop.

    Args:
        first: judged answers of one pass.
        second: judged answers of the other.

    Returns:
        Noise by category; a category with fewer than two prompts has no spread and is left out.
    """
    return {category: _noise(pairs) for category, pairs in by_category(pair(first, second)).items() if len(pairs) > 1}


def _noise(pairs: Sequence[PromptPair]) -> NoiseFloor:
    shares = [(both.passing_share(after=False), both.passing_share(after=True)) for both in pairs]
    moved = [first - second for first, second in shares]
    return NoiseFloor(
        prompts=len(pairs),
        samples=len(pairs[0].before),
        drop_pp=100 * (fmean(first for first, _ in shares) - fmean(second for _, second in shares)),
        reach_pp=100 * _TWO_SIDED_95 * stdev(moved) / math.sqrt(len(pairs)),
        flips=sum((first > 0.5) is not (second > 0.5) for first, second in shares),
    )
