"""Exact tests on counts, and Holm's correction."""

from collections.abc import Sequence
from functools import lru_cache

from scipy import stats


def mcnemar_p(newly_failing: int, newly_passing: int) -> float:
    """One-sided exact McNemar test that more prompts got worse than better.

    P(Bin(b + c, 1/2) >= b) for b newly failing and c newly passing prompts (McNemar 1947, exact form);
    1.0 if no prompt changed.

    Raises:
        ValueError: a count is negative.
    """
    if newly_failing < 0 or newly_passing < 0:
        raise ValueError(f"{newly_failing} newly failing, {newly_passing} newly passing; expected counts from 0")
    return float(stats.binom.sf(newly_failing - 1, newly_failing + newly_passing, 0.5))


@lru_cache(maxsize=4096)  # simulations ask for the same few tables thousands of times
def fisher_drop_p(passed_before: int, passed_after: int, samples: int) -> float:
    """One-sided Fisher exact test that one prompt passes less often after than before.

    Args:
        passed_before: passing answers of `samples` before.
        passed_after: passing answers of `samples` after.
        samples: fresh answers per side.

    Raises:
        ValueError: a count is outside 0..samples.
    """
    for count in (passed_before, passed_after):
        if not 0 <= count <= samples:
            raise ValueError(f"{count} passing answers of {samples}; expected 0 to {samples}")
    table = [
        [passed_before, samples - passed_before],
        [passed_after, samples - passed_after],
    ]
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the order of `p_values` (Holm 1979)."""
    adjusted = [1.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted
