"""Checks that the base model's chat template renders the training rows and the suites' prompts, without its weights."""

import heapq
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from components.shared.artifacts.suite_prompt import Message, SuitePrompt
from components.shared.asking.asking import conversation
from components.shared.config.sections import PipelineConfig
from components.shared.data.chats import Chat
from components.shared.errors import ConfigError, ModelError
from components.shared.progress import Progress

if TYPE_CHECKING:
    from components.shared.generation.chat_template import ChatTemplate
    from components.shared.generation.training_tokens import ChatTokenizer

MOST_ROWS = 20_000
"""Rows that are tokenized before a run; training tokenizes all of them."""

_Roles = tuple[str, ...]


def can_read_templates() -> bool:
    """Whether this machine has what reads a tokenizer."""
    return find_spec("transformers") is not None


def check_template(
    directory: Path, config: PipelineConfig, rows: Sequence[Chat], prompts: Sequence[SuitePrompt]
) -> str:
    """Checks the chat template against everything that will be rendered with it; returns what it can do.

    A template refuses a prompt by the order of its roles, so one prompt of each order is rendered.

    Args:
        directory: of the base model.
        config: how rows are trained and prompts are asked.
        rows: to train on; empty if they could not be read.
        prompts: of the suites, and of the rows held out.

    Raises:
        ConfigError: there is no chat template, it does not read an argument, or it refuses a row or a prompt.
        DataError: a row is too long, or an answer cannot be learnt.
    """
    from components.shared.generation.chat_template import ChatTemplate, TemplateSettings
    from components.shared.generation.model_loading import end_tokens, load_tokenizer
    from components.shared.generation.training_tokens import ChatTokenizer

    evaluation = config.evaluation
    settings = TemplateSettings.of(evaluation)
    try:
        tokenizer = load_tokenizer(directory)
        asking = ChatTemplate(tokenizer, settings)
        training = ChatTemplate(tokenizer, settings._replace(system_turns=config.data.system_turns))
        ends = end_tokens(directory, tokenizer)
    except ModelError as error:
        raise ConfigError(str(error)) from error
    _check_prompts(asking, prompts, evaluation.system_prompt)
    check_rows(ChatTokenizer(tokenizer, training, ends), asking, rows, config)
    turns = "shows system turns" if asking.takes_system_turns else "takes no system turns"
    return f"{turns}{', and opens a thought before each answer' if asking.opens_thought else ''}"


def check_rows(tokenizer: "ChatTokenizer", asked: "ChatTemplate", rows: Sequence[Chat], config: PipelineConfig) -> None:
    """Checks that the training rows can be learnt as they are, and that none is longer than the recipe allows.

    Of very many rows only the longest are looked at, which are the ones that may be too long.

    Args:
        tokenizer: makes tokens and labels as training does.
        asked: renders the evaluation's chats.
        rows: the training rows.
        config: the recipe, and the system prompt of rows that have none.

    Raises:
        ConfigError: the template refuses a row.
        DataError: a row is too long, or an answer cannot be learnt.
    """
    from components.shared.generation.training_tokens import tokenized

    numbered: Iterable[tuple[int, Chat]] = enumerate(rows, start=1)
    if len(rows) > MOST_ROWS:
        numbered = heapq.nlargest(MOST_ROWS, numbered, key=_characters)
    progress = Progress(_say, "training rows tokenized", min(len(rows), MOST_ROWS))
    try:
        for _ in tokenized(numbered, tokenizer, asked, config.evaluation.system_prompt, config.recipe.max_length):
            progress.advance(1)
    except ModelError as error:
        raise ConfigError(str(error)) from error


def _characters(numbered: tuple[int, Chat]) -> int:
    return sum(len(turn.content) for turn in numbered[1].messages)


def _say(text: str) -> None:
    """Shows progress on standard error, but not the last line of a quick check."""
    if not text.endswith((", 0 s", ", 1 s", ", 2 s")):
        print(f"[preflight] {text}", file=sys.stderr, flush=True)  # noqa: T201


def _check_prompts(template: "ChatTemplate", prompts: Iterable[SuitePrompt], system_prompt: str | None) -> None:
    seen: set[_Roles] = set()
    for prompt in prompts:
        turns = conversation(prompt, system_prompt)
        if _is_new(turns, seen):
            try:
                template.render(turns, answering=True)
            except ModelError as error:
                raise ConfigError(f"suite {prompt.suite!r}: prompt {prompt.id!r} ({prompt.source}): {error}") from error


def _is_new(turns: Sequence[Message], seen: set[_Roles]) -> bool:
    roles = tuple(turn.role for turn in turns)
    if roles in seen:
        return False
    seen.add(roles)
    return True
