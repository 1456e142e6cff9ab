"""Asks an engine the prompts of a suite and has the answers judged."""

from collections.abc import Sequence

from components.shared.artifacts.evaluation import AnswerRow, Message, SuitePrompt, Verdict
from components.shared.config.sections import EvaluationConfig
from components.shared.evaluation.judges.judge import Judgement, Panel
from components.shared.generation.engine import Completion, Conversation, Engine, Sampling
from components.shared.progress import Progress, Say


def sampling_of(evaluation: EvaluationConfig) -> Sampling:
    """How the contract draws answers."""
    return Sampling(
        samples=evaluation.samples_per_prompt,
        max_new_tokens=evaluation.max_new_tokens,
        temperature=evaluation.temperature,
        top_p=evaluation.top_p,
        seed=evaluation.seed,
        batch_tokens=evaluation.batch_tokens,
    )


def conversation(prompt: SuitePrompt, system_prompt: str | None) -> Conversation:
    """The turns that the model sees; a prompt's own system prompt goes before the contract's."""
    system = prompt.system if prompt.system is not None else system_prompt
    opening = [Message(role="system", content=system)] if system is not None else []
    return [*opening, *prompt.messages, Message(role="user", content=prompt.prompt)]


def ask(
    engine: Engine,
    prompts: Sequence[SuitePrompt],
    sampling: Sampling,
    system_prompt: str | None,
    panel: Panel,
    say: Say,
) -> list[AnswerRow]:
    """One judged row per prompt and sample, in the order of the prompts.

    Raises:
        ModelError: a prompt does not fit the model's context.
    """
    progress = Progress(say, "answers", len(prompts) * sampling.samples)
    conversations = [conversation(prompt, system_prompt) for prompt in prompts]
    answers = engine.generate(conversations, sampling, progress.advance)
    return [
        _row(prompt, sample, completion, panel)
        for prompt, completions in zip(prompts, answers, strict=True)
        for sample, completion in enumerate(completions)
    ]


def _row(prompt: SuitePrompt, sample: int, completion: Completion, panel: Panel) -> AnswerRow:
    judge = panel.get(prompt.expectation)
    if judge is None:
        judged = Judgement(Verdict.UNSCORED, f"no judge for expectation {prompt.expectation.value!r}")
    else:
        judged = judge.judge(prompt, completion.text)
    return AnswerRow(
        prompt_id=prompt.id,
        category=prompt.category,
        sample=sample,
        answer=completion.text,
        tokens=completion.tokens,
        complete=completion.complete,
        verdict=judged.verdict,
        judge=f"{judge.name}@{judge.version}" if judge is not None else "none",
        reason=judged.reason,
    )
