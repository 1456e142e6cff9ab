"""The A/A pass: the base is asked everything a second time with another seed, and what differs is chance.

Its chunks are asked, shared out, stored and resumed like all others; only their seed differs, so they have keys of
their own and the first pass's answers stay what they are. The switch is no part of the contract: no answer and no
verdict of the report depends on it. It does not know what a drop is compared with.
"""

from collections.abc import Sequence

from components.evaluate_safety.subject import Subject
from components.shared.artifacts.answers import Answer, AnswerRow
from components.shared.artifacts.safety_report import NoiseFloor
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.gate.noise import noise_floor
from components.shared.judges.panel import Panel
from components.shared.suites.chunks import Chunk, cut
from components.shared.vocabulary import Expectation

SEED_SHIFT = 2_000_003
"""Added to the contract's seed; not the follow-up's shift, whose fresh answers these must not be."""


def chunks_again(subject: Subject, prompts: Sequence[SuitePrompt]) -> list[Chunk]:
    """What is asked a second time: everything that is drawn at random, of the base alone.

    Empty for an adapter, where no noise floor is wanted, and for greedy answers, which would be the same again.
    """
    evaluation = subject.evaluation
    drawn = _drawn_at_random(subject, prompts) if _wanted(subject) else []
    chunks = cut(drawn, evaluation.samples_per_prompt, evaluation.chunk_answers)
    return [chunk._replace(seed_shift=SEED_SHIFT) for chunk in chunks]


def noise_between(
    subject: Subject, prompts: Sequence[SuitePrompt], first: Sequence[AnswerRow], again: Sequence[Answer], panel: Panel
) -> dict[str, NoiseFloor]:
    """The noise floor by category; empty for an adapter and where none is wanted.

    What is not drawn at random is its own second pass: with temperature 0 nothing was asked again, and drop, reach
    and flips are 0 by construction. A choice, read from log-likelihoods, does not move either; a category that
    holds nothing else has no noise floor.

    Args:
        subject: the model.
        prompts: all prompts.
        first: the judged rows of the first pass.
        again: the answers to `chunks_again`.
        panel: judges them as it judged the first pass.
    """
    if not _wanted(subject):
        return {}
    drawn = {prompt.id: prompt for prompt in _drawn_at_random(subject, prompts)}
    unmoved = [row for row in first if row.prompt_id not in drawn]
    found = noise_floor(first, [*panel.judge(drawn, again), *unmoved])
    spoken = {prompt.category for prompt in prompts if prompt.expectation is not Expectation.CHOICE}
    return {category: own for category, own in found.items() if category in spoken}


def _wanted(subject: Subject) -> bool:
    return subject.adapter is None and subject.evaluation.noise_floor


def _drawn_at_random(subject: Subject, prompts: Sequence[SuitePrompt]) -> list[SuitePrompt]:
    if subject.evaluation.temperature == 0:
        return []
    return [prompt for prompt in prompts if prompt.expectation is not Expectation.CHOICE]
