"""Groups prompts into batches by their lengths only, so that both sides get the same batches."""

from collections.abc import Sequence


def length_sorted_batches(
    lengths: Sequence[int], rows_per_prompt: int, new_tokens: int, budget: int
) -> list[list[int]]:
    """Batches of prompt indices, longest first, each within a token budget.

    Args:
        lengths: tokens of each prompt.
        rows_per_prompt: answers drawn from each.
        new_tokens: longest answer.
        budget: most tokens of a batch: prompts x rows_per_prompt x (longest prompt + new_tokens). A single prompt
            above it gets a separate batch.

    Returns:
        Every index exactly once; longest first, so that a batch that does not fit in memory fails at the start.
    """
    batches: list[list[int]] = []
    width = 0
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        rows = rows_per_prompt * (len(batches[-1]) + 1) if batches else 0
        if not batches or rows * (width + new_tokens) > budget:
            batches.append([])
            width = lengths[index]
        batches[-1].append(index)
    return batches
