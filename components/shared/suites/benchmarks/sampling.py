"""Draws a stratified sample of prompts.

Prompts are ranked within their stratum by a hash of id and seed, so the order of the file does not matter.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from components.shared.artifacts.suite_prompt import SuitePrompt


def stratified_sample(
    prompts: Sequence[SuitePrompt], size: int, key: Callable[[SuitePrompt], str], seed: int
) -> tuple[SuitePrompt, ...]:
    """A sample in which every stratum has its share.

    Args:
        prompts: with unique ids.
        size: how many to draw, 1 to the number of prompts.
        key: the stratum of a prompt.
        seed: another seed draws another sample.

    Returns:
        The drawn prompts in their original order. Shares are those of `quotas`.

    Raises:
        ValueError: `size` is not in range.
    """
    strata: dict[str, list[SuitePrompt]] = {}
    for prompt in prompts:
        strata.setdefault(key(prompt), []).append(prompt)
    wanted = quotas({name: len(members) for name, members in strata.items()}, size)
    drawn = {
        prompt.id
        for name, members in strata.items()
        for prompt in sorted(members, key=lambda member: _rank(member.id, seed))[: wanted[name]]
    }
    return tuple(prompt for prompt in prompts if prompt.id in drawn)


def quotas(counts: Mapping[str, int], size: int) -> dict[str, int]:
    """How many to draw from each stratum: in proportion, by largest remainder (Hamilton's method).

    If `size` allows one for each stratum, a stratum that would get none gets one from the stratum that is furthest
    above its exact share and has more than one.

    Args:
        counts: members by stratum, each at least 1.
        size: the sum of the quotas, 1 to the number of members.

    Raises:
        ValueError: `size` is not in range.
    """
    total = sum(counts.values())
    if not 1 <= size <= total:
        raise ValueError(f"a sample of {size} out of {total}: expected 1 to {total}")
    names = sorted(counts)
    drawn = {name: size * counts[name] // total for name in names}
    by_remainder = sorted(names, key=lambda name: (-(size * counts[name] % total), -counts[name], name))
    for name in by_remainder[: size - sum(drawn.values())]:
        drawn[name] += 1
    if size >= len(names):
        for name in [name for name in names if drawn[name] == 0]:
            giver = max(
                (other for other in names if drawn[other] > 1),
                key=lambda other: (drawn[other] * total - size * counts[other], drawn[other]),
            )
            drawn[giver] -= 1
            drawn[name] = 1
    return drawn


def _rank(prompt_id: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\n{prompt_id}".encode()).digest()
