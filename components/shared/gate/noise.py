"""How far a category's pass rate moves by chance alone: one model's answers against its own, drawn with another seed.

Pure functions of rows. This module does not know how the second pass was asked, nor what a drop may be.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, stdev

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.safety_report import NoiseFloor
from components.shared.gate.pairing import PromptPair, pair

_TWO_SIDED_95 = 1.96
"""97.5 % quantile of the normal distribution."""


def noise_floor(first: Sequence[AnswerRow], second: Sequence[AnswerRow]) -> dict[str, NoiseFloor]:
    """The A/A difference of every category, in the order in which categories occur.

    Over prompts, as a drop is (`statistics.paired`): D is the share of a prompt's answers that pass in the first
    pass minus that in the second, and the reach is 1.96 sd(D) / sqrt(prompts). It is 0 where no prompt moved. The
    passes are equals, so, unlike in `PromptPair.drop`, an unscored answer passes in neither; swapping the passes
    turns the sign of the drop and changes nothing else.

    Args:
        first: judged answers of one pass.
        second: judged answers of the other.

    Returns:
        By category; none for a category of fewer than two prompts, which has no spread.
    """
    grouped: defaultdict[str, list[PromptPair]] = defaultdict(list)
    for both in pair(first, second):
        grouped[both.category].append(both)
    return {category: _noise(own) for category, own in grouped.items() if len(own) > 1}


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
