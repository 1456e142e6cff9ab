"""Measures whether an answer is language or word salad, with log-probabilities under the base model.

Two measurements are needed, for each alone would reject honest answers:

1. The mean log-probability of the answer's tokens is below a floor, halfway between the base model's answers and the
   same answers with shuffled words (`calibrate`). An answer that the base model would never give (a compliance, a new
   format) is below it too, so this step only picks suspects.
2. A suspect is not more likely than at least half of its shuffled copies. In word salad the order has no meaning, so
   the rank among the copies is uniform (the basis of permutation tests) and about half of it is found; language is more
   likely than its copies.

The reported share is therefore about half of the true share of word salad below the floor. Answers of fewer than four
words have too few orders and are never suspects.
"""

import random
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from components.shared.artifacts.answers import Answer
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.asking.asking import conversation
from components.shared.generation.engine import Continuation, Engine, Request, Sampling
from components.shared.generation.transformers_engine import TransformersEngine
from components.shared.vocabulary import MUST_BE_LANGUAGE

VERSION = "1"
SHUFFLES = 5
_MIN_WORDS = 4
_DIGITS = 4
"""Digits that are kept; the further digits of a log-probability depend on the other texts of its batch."""


class Fluency(NamedTuple):
    """The fluency of one answer under the base model.

    Attributes:
        log_prob: mean log-probability of its tokens, nats; None for an empty answer.
        shuffles_beaten: share of its shuffled copies that are less likely than the answer, 0 to 1; None if the answer
            is not a suspect.
    """

    log_prob: float | None
    shuffles_beaten: float | None


def calibrate(engine: Engine, requests: Sequence[Request], sampling: Sampling) -> float | None:
    """The floor: halfway between the base model's answers and the same answers with shuffled words, nats per token.

    Args:
        engine: answering as the base model.
        requests: a sample of the prompts; one answer is drawn to each.
        sampling: how answers are drawn.

    Returns:
        The floor, rounded to a tenth so that machines of one kind agree; None if no answer has at least four words.
    """
    single = [request._replace(samples=1) for request in requests]
    answers = engine.generate(single, sampling, lambda _: None)
    written = [
        Continuation(request.conversation, completions[0].text)
        for request, completions in zip(single, answers, strict=True)
        if len(completions[0].text.split()) >= _MIN_WORDS
    ]
    if not written:
        return None
    shuffled = [_shuffled(text, 1)[0] for text in written]
    means = [fmean(mean for mean in _means(engine, texts) if mean is not None) for texts in (written, shuffled)]
    return round(sum(means) / 2, 1)


def measure(engine: Engine, texts: Sequence[Continuation], floor: float | None) -> list[Fluency]:
    """The fluency of each answer; equal answers to equal prompts are measured once.

    Args:
        engine: scoring as the base model.
        texts: answers, each after its conversation.
        floor: from `calibrate`; None measures no shuffled copies.
    """
    known = list(dict.fromkeys((tuple(answer.conversation), answer.text) for answer in texts))
    unique = [Continuation(conversation, text) for conversation, text in known]
    means = _means(engine, unique)
    suspects = [
        place
        for place, (answer, mean) in enumerate(zip(unique, means, strict=True))
        if mean is not None and floor is not None and mean < floor and len(answer.text.split()) >= _MIN_WORDS
    ]
    copies = _means(engine, [copy for place in suspects for copy in _shuffled(unique[place], SHUFFLES)])
    beaten: dict[int, float] = {}
    for number, place in enumerate(suspects):
        mean = means[place]
        beaten[place] = fmean(
            copy is not None and mean is not None and mean > copy
            for copy in copies[number * SHUFFLES : (number + 1) * SHUFFLES]
        )
    place_of = {key: place for place, key in enumerate(known)}
    places = [place_of[tuple(answer.conversation), answer.text] for answer in texts]
    return [Fluency(means[place], beaten.get(place)) for place in places]


def with_fluency(
    engine: TransformersEngine,
    prompts: Sequence[SuitePrompt],
    answers: Sequence[Answer],
    system_prompt: str | None,
    floor: float | None,
) -> list[Answer]:
    """The answers; those to prompts that ask for language have their fluency.

    Args:
        engine: the model; an adapter is switched off while it scores.
        prompts: the prompts that were asked.
        answers: answers to these prompts.
        system_prompt: see `asking.conversation`.
        floor: from `calibrate`.
    """
    asked = {prompt.id: prompt for prompt in prompts if prompt.expectation in MUST_BE_LANGUAGE}
    texts = [
        Continuation(conversation(asked[row.prompt_id], system_prompt), row.answer)
        for row in answers
        if row.prompt_id in asked
    ]
    with engine.base_only():
        measured = iter(measure(engine, texts, floor))
    return [
        row.model_copy(update=dict(zip(("base_log_prob", "shuffles_beaten"), next(measured), strict=True)))
        if row.prompt_id in asked
        else row
        for row in answers
    ]


def _means(engine: Engine, texts: Sequence[Continuation]) -> list[float | None]:
    """Mean log-probability per text; shuffled words may take more tokens, and those beyond the context do not count."""
    return [round(fmean(tokens), _DIGITS) if tokens else None for tokens in engine.log_probs(texts, cut=True)]


def _shuffled(answer: Continuation, copies: int) -> list[Continuation]:
    """Copies with the words in random order; the order depends on the text only."""
    rng = random.Random(answer.text)
    words = answer.text.split()
    return [Continuation(answer.conversation, " ".join(rng.sample(words, len(words)))) for _ in range(copies)]
