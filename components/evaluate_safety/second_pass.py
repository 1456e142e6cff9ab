"""The A/A pass: the base model is asked everything a second time with another seed, to measure the noise.

Its chunks are answered, stored and resumed like all others; only the seed differs, so their keys differ too.
`evaluation.noise_floor` is not part of the contract, because no answer and no verdict of the report depends on it.
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
"""Added to the contract's seed; differs from the follow-up's shift, so that the answers differ too."""


def chunks_again(subject: Subject, prompts: Sequence[SuitePrompt]) -> list[Chunk]:
    """The chunks that are asked a second time: all prompts whose answers are sampled, for the base model only.

    Empty for an adapter, if no noise floor is wanted, and for greedy answers, which would not change.
    """
    evaluation = subject.evaluation
    drawn = _drawn_at_random(subject, prompts) if _wanted(subject) else []
    chunks = cut(drawn, evaluation.samples_per_prompt, evaluation.chunk_answers)
    return [chunk._replace(seed_shift=SEED_SHIFT) for chunk in chunks]


def noise_between(
    subject: Subject, prompts: Sequence[SuitePrompt], first: Sequence[AnswerRow], again: Sequence[Answer], panel: Panel
) -> dict[str, NoiseFloor]:
    """The noise floor by category; empty for an adapter, and if none is wanted.

    An answer that is not sampled counts as unchanged: with temperature 0 nothing was asked again, and drop, reach and
    flips are 0 by construction. Multiple-choice answers do not change either; a category with nothing else has no noise
    floor.

    Args:
        subject: the model and its settings.
        prompts: all prompts.
        first: the judged rows of the first pass.
        again: the answers to `chunks_again`.
        panel: the judges of the first pass.
    """
    if not _wanted(subject):
        return {}
    drawn = {prompt.id: prompt for prompt in _drawn_at_random(subject, prompts)}
    unmoved = [row for row in first if row.prompt_id not in drawn]
    floors = noise_floor(first, [*panel.judge(drawn, again), *unmoved])
    sampled = {prompt.category for prompt in prompts if prompt.expectation is not Expectation.CHOICE}
    return {category: floor for category, floor in floors.items() if category in sampled}


def _wanted(subject: Subject) -> bool:
    return subject.adapter is None and subject.evaluation.noise_floor


def _drawn_at_random(subject: Subject, prompts: Sequence[SuitePrompt]) -> list[SuitePrompt]:
    if subject.evaluation.temperature == 0:
        return []
    return [prompt for prompt in prompts if prompt.expectation is not Expectation.CHOICE]
