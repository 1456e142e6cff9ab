"""Cuts a prompt set into chunks: what is answered, stored and resumed together. Pure.

Chunks depend on the prompts only, so both sides have the same; and no chunk spans two suites, so that a suite's
answers are found again when another one is added.
"""

from collections.abc import Sequence
from typing import NamedTuple

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.digests import digest_bytes
from components.shared.suites.suite_files import dump_prompts


class Chunk(NamedTuple):
    """Prompts of one suite that are asked together.

    Attributes:
        suite: the suite's name.
        prompts: in the suite's order.
        digest: of the prompts.
        seed_shift: added to the contract's seed; 0 but where prompts are asked a second time.
    """

    suite: str
    prompts: tuple[SuitePrompt, ...]
    digest: str
    seed_shift: int = 0


def cut(prompts: Sequence[SuitePrompt], samples: int, answers: int) -> list[Chunk]:
    """Chunks of consecutive prompts of a suite.

    Args:
        prompts: all prompts, suite by suite.
        samples: answers per prompt, where a prompt does not say.
        answers: a chunk is closed before it would hold more answers than this, but holds at least one prompt.
    """
    chunks: list[list[SuitePrompt]] = []
    held = 0
    for prompt in prompts:
        draws = prompt.draws(samples)
        if not chunks or chunks[-1][0].suite != prompt.suite or held + draws > answers:
            chunks.append([])
            held = 0
        chunks[-1].append(prompt)
        held += draws
    return [Chunk(own[0].suite, tuple(own), digest_bytes(dump_prompts(own))) for own in chunks]
