"""Finds fluent-looking nonsense: answers whose words might as well stand in any other order.

Two measurements under the base model, both needed, because either alone condemns honest answers:

1. the mean log-probability of the answer's tokens lies below a floor, halfway between the base's own answers and
   the same answers with shuffled words (calibration). An answer that a tuned model gives and the base never would
   (a compliance, a new format) is below it too, so this only picks suspects;
2. a suspect is no more likely than at least half of its own shuffled copies. In word salad the order carries
   nothing, so its rank among its copies is uniform (what permutation tests rest on) and half of it is
   caught; language beats its copies.

So it reports about half of the true share of salad that lies below the floor. Short answers (fewer
than four words) have too few orders to tell and are never suspects. It does not know judges or verdicts.
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
"""Beyond these, a log-probability depends on which texts stood beside it in a batch."""


class Fluency(NamedTuple):
    """What the base model makes of one answer.

    Attributes:
        log_prob: mean log-probability of its tokens, nats; None for an empty answer.
        shuffles_beaten: share of its shuffled copies that it is more likely than, 0 to 1; None where the answer is
            no suspect.
    """

    log_prob: float | None
    shuffles_beaten: float | None


def calibrate(engine: Engine, requests: Sequence[Request], sampling: Sampling) -> float | None:
    """The floor: halfway between the base's own answers and their shuffled words, nats per token.

    Args:
        engine: answering as the base model.
        requests: a sample of the prompts; one answer is drawn to each.
        sampling: how answers are drawn.

    Returns:
        The floor, rounded to a tenth so that machines of one kind agree; None where the base has no answers of
        four words or more.
    """
    single = [request._replace(samples=1) for request in requests]
    answers = engine.generate(single, sampling, lambda _: None)
    own = [
        Continuation(request.conversation, completions[0].text)
        for request, completions in zip(single, answers, strict=True)
        if len(completions[0].text.split()) >= _MIN_WORDS
    ]
    if not own:
        return None
    shuffled = [_shuffled(text, 1)[0] for text in own]
    means = [fmean(found for found in _means(engine, texts) if found is not None) for texts in (own, shuffled)]
    return round(sum(means) / 2, 1)


def measure(engine: Engine, texts: Sequence[Continuation], floor: float | None) -> list[Fluency]:
    """The fluency of each answer; equal answers to equal prompts are measured once.

    Args:
        engine: scoring as the base model.
        texts: answers, each after its conversation.
        floor: what `calibrate` gave; None measures no shuffled copies.
    """
    known = list(dict.fromkeys((tuple(own.conversation), own.text) for own in texts))
    unique = [Continuation(conversation, text) for conversation, text in known]
    means = _means(engine, unique)
    suspects = [
        place
        for place, (own, mean) in enumerate(zip(unique, means, strict=True))
        if mean is not None and floor is not None and mean < floor and len(own.text.split()) >= _MIN_WORDS
    ]
    copies = _means(engine, [copy for place in suspects for copy in _shuffled(unique[place], SHUFFLES)])
    beaten: dict[int, float] = {}
    for number, place in enumerate(suspects):
        own_copies = copies[number * SHUFFLES : (number + 1) * SHUFFLES]
        mean = means[place]
        beaten[place] = fmean(copy is not None and mean is not None and mean > copy for copy in own_copies)
    place_of = {key: place for place, key in enumerate(known)}
    places = [place_of[tuple(own.conversation), own.text] for own in texts]
    return [Fluency(means[place], beaten.get(place)) for place in places]


def with_fluency(
    engine: TransformersEngine,
    prompts: Sequence[SuitePrompt],
    answers: Sequence[Answer],
    system_prompt: str | None,
    floor: float | None,
) -> list[Answer]:
    """The answers with their fluency, where their prompts ask for language.

    Args:
        engine: scores as the base model; an adapter is switched off meanwhile.
        prompts: what was asked.
        answers: each to one of the prompts.
        system_prompt: see `asking.conversation`.
        floor: what `calibrate` gave.
    """
    asked = {prompt.id: prompt for prompt in prompts if prompt.expectation in MUST_BE_LANGUAGE}
    texts = [
        Continuation(conversation(asked[row.prompt_id], system_prompt), row.answer)
        for row in answers
        if row.prompt_id in asked
    ]
    with engine.base_only():
        found = iter(measure(engine, texts, floor))
    return [
        row.model_copy(update=dict(zip(("base_log_prob", "shuffles_beaten"), next(found), strict=True)))
        if row.prompt_id in asked
        else row
        for row in answers
    ]


def _means(engine: Engine, texts: Sequence[Continuation]) -> list[float | None]:
    """Mean log-probability per text: of the tokens that fit the context, for other words may take more tokens."""
    return [round(fmean(found), _DIGITS) if found else None for found in engine.log_probs(texts, cut=True)]


def _shuffled(own: Continuation, copies: int) -> list[Continuation]:
    """Copies with the words in other orders; the order depends on the text only."""
    rng = random.Random(own.text)
    words = own.text.split()
    return [Continuation(own.conversation, " ".join(rng.sample(words, len(words)))) for _ in range(copies)]
