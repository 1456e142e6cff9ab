"""Asks an engine prompts: draws answers, picks the most likely option, or scores the reference."""

from collections.abc import Sequence
from statistics import fmean

from components.shared.artifacts.answers import Answer
from components.shared.artifacts.suite_prompt import Message, SuitePrompt
from components.shared.config.evaluation import EvaluationConfig
from components.shared.errors import ConfigError
from components.shared.generation.engine import (
    Completion,
    Continuation,
    Conversation,
    Engine,
    Request,
    Sampling,
)
from components.shared.progress import Progress, Say
from components.shared.vocabulary import FROM_LIKELIHOODS, Expectation


def sampling_of(evaluation: EvaluationConfig) -> Sampling:
    """The sampling settings of the contract."""
    return Sampling(
        max_new_tokens=evaluation.max_new_tokens,
        temperature=evaluation.temperature,
        top_p=evaluation.top_p,
        seed=evaluation.seed,
        batch_tokens=evaluation.batch_tokens,
    )


def conversation(prompt: SuitePrompt, system_prompt: str | None) -> Conversation:
    """The turns that the model sees; the prompt's system prompt, if it has one, replaces the contract's."""
    system = prompt.system if prompt.system is not None else system_prompt
    opening = [Message(role="system", content=system)] if system is not None else []
    return (*opening, *prompt.messages, Message(role="user", content=prompt.prompt))


def request(prompt: SuitePrompt, samples: int, system_prompt: str | None) -> Request:
    """The request for a prompt's answers; they are seeded by the prompt's id."""
    return Request(conversation(prompt, system_prompt), prompt.draws(samples), prompt.id)


def ask(
    engine: Engine,
    prompts: Sequence[SuitePrompt],
    samples: int,
    sampling: Sampling,
    system_prompt: str | None,
    say: Say,
) -> list[Answer]:
    """One answer per prompt and sample, in the order of the prompts.

    Args:
        engine: the model.
        prompts: what to ask.
        samples: answers per prompt, unless the prompt sets its own number.
        sampling: how they are drawn.
        system_prompt: for prompts without a system prompt.
        say: receives progress messages.

    Raises:
        ModelError: a prompt does not fit the model's context.
    """
    progress = Progress(say, "answers", sum(prompt.draws(samples) for prompt in prompts))
    generated = [prompt for prompt in prompts if prompt.expectation not in FROM_LIKELIHOODS]
    scored = [prompt for prompt in prompts if prompt.expectation is Expectation.LIKELIHOOD]
    choices = [prompt for prompt in prompts if prompt.expectation is Expectation.CHOICE]
    requests = [request(prompt, samples, system_prompt) for prompt in generated]
    completions = engine.generate(requests, sampling, progress.advance)
    answers = dict(zip((prompt.id for prompt in generated), completions, strict=True))
    answers |= zip((prompt.id for prompt in choices), _choices(engine, choices, system_prompt), strict=True)
    log_probs = dict(zip((prompt.id for prompt in scored), _references(engine, scored, system_prompt), strict=True))
    answers |= {prompt.id: [Completion(prompt.reference or "", 0, complete=True)] for prompt in scored}
    if read := len(choices) + len(scored):
        progress.advance(read)
    return [
        Answer(
            prompt_id=prompt.id,
            category=prompt.category,
            sample=sample,
            answer=completion.text,
            tokens=completion.tokens,
            complete=completion.complete,
            reasoning=completion.reasoning,
            unfinished_thought=completion.unfinished_thought,
            reference_log_prob=log_probs.get(prompt.id),
        )
        for prompt in prompts
        for sample, completion in enumerate(answers[prompt.id])
    ]


def refuse_equal_answers(evaluation: EvaluationConfig, prompts: Sequence[SuitePrompt]) -> None:
    """Checks that no prompt wants several greedy answers, which would be equal.

    Raises:
        ConfigError: a prompt does.
    """
    for prompt in prompts:
        if evaluation.temperature == 0 and prompt.draws(1) > 1:
            raise ConfigError(
                f"suite {prompt.suite!r}: prompt {prompt.id!r} asks for {prompt.samples} answers, but "
                "evaluation.temperature is 0 and they would be equal: set a temperature above 0, or leave the suite out"
            )


def _references(engine: Engine, prompts: Sequence[SuitePrompt], system_prompt: str | None) -> list[float | None]:
    """For each prompt the mean log-probability of its reference's tokens, nats; None where it has no token."""
    texts = [Continuation(conversation(prompt, system_prompt), prompt.reference or "") for prompt in prompts]
    return [fmean(tokens) if tokens else None for tokens in engine.log_probs(texts)]


def _choices(engine: Engine, prompts: Sequence[SuitePrompt], system_prompt: str | None) -> list[list[Completion]]:
    """For each prompt the option with the highest mean log-probability per token; the first if several are equal."""
    texts = [
        Continuation(conversation(prompt, system_prompt), option) for prompt in prompts for option in prompt.options
    ]
    scores = iter(engine.log_probs(texts))
    chosen = []
    for prompt in prompts:
        tokens = [next(scores) for _ in prompt.options]
        best = max(range(len(tokens)), key=lambda place: fmean(tokens[place]) if tokens[place] else float("-inf"))
        chosen.append([Completion(prompt.options[best], len(tokens[best]), complete=True)])
    return chosen
