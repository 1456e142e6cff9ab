"""Cuts a prompt set into chunks, the unit in which prompts are answered, stored and resumed.

Chunks depend on the prompts only, so both sides have the same ones. No chunk spans two suites, so that a suite's stored
answers are still found after another suite is added.
"""

from collections.abc import Sequence
from typing import NamedTuple

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.digests import digest_bytes
from components.shared.suites.suite_files import dump_prompts


class Chunk(NamedTuple):
    """Prompts of one suite that are answered and stored together.

    Attributes:
        suite: the suite's name.
        prompts: in the suite's order.
        digest: of the prompts.
        seed_shift: added to the contract's seed; above 0 only if the prompts are asked a second time.
    """

    suite: str
    prompts: tuple[SuitePrompt, ...]
    digest: str
    seed_shift: int = 0


def cut(prompts: Sequence[SuitePrompt], samples: int, answers: int) -> list[Chunk]:
    """Chunks of consecutive prompts of a suite.

    Args:
        prompts: all prompts, suite by suite.
        samples: answers per prompt, unless the prompt sets its own number.
        answers: most answers of a chunk; a chunk of a single prompt may have more.
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
    return [Chunk(chunk[0].suite, tuple(chunk), digest_bytes(dump_prompts(chunk))) for chunk in chunks]
