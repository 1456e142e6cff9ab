"""Checks that the base model's chat template renders the training rows and the suites' prompts, without its weights."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.shared.artifacts.suite_prompt import Message, SuitePrompt
from components.shared.asking.asking import conversation
from components.shared.config.sections import PipelineConfig
from components.shared.data.training_files import TrainingFile
from components.shared.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from components.shared.generation.chat_template import ChatTemplate

_Roles = tuple[str, ...]


def can_read_templates() -> bool:
    """Whether this machine has what reads a tokenizer."""
    return find_spec("transformers") is not None


def check_template(
    directory: Path, config: PipelineConfig, files: Sequence[TrainingFile], prompts: Sequence[SuitePrompt]
) -> str:
    """Checks the chat template against everything that will be rendered with it; returns what it can do.

    A template refuses a chat by the order of its roles, so one chat of each order is rendered.

    Args:
        directory: of the base model.
        config: how rows are trained and prompts are asked.
        files: the training rows; empty if they could not be read.
        prompts: of the suites; empty if they could not be read.

    Raises:
        ConfigError: there is no chat template, it does not read an argument, or it refuses a row or a prompt.
    """
    from components.shared.generation.chat_template import ChatTemplate, TemplateSettings
    from components.shared.generation.model_loading import load_tokenizer

    evaluation = config.evaluation
    settings = TemplateSettings.of(evaluation)
    try:
        tokenizer = load_tokenizer(directory)
        asking = ChatTemplate(tokenizer, settings)
        training = ChatTemplate(tokenizer, settings._replace(system_turns=config.data.system_turns))
    except ModelError as error:
        raise ConfigError(str(error)) from error
    _check_prompts(asking, prompts, evaluation.system_prompt)
    check_rows(tokenizer, training, files, config)
    turns = "shows system turns" if asking.takes_system_turns else "takes no system turns"
    return f"{turns}{', and opens a thought before each answer' if asking.opens_thought else ''}"


def check_rows(
    tokenizer: Any,  # noqa: ARG001 - for checks that count tokens
    template: "ChatTemplate",
    files: Sequence[TrainingFile],
    config: PipelineConfig,
) -> None:
    """Checks that the training rows can be rendered as they will be trained.

    This is the place for checks of rows that need the tokenizer and the recipe, such as their length in tokens
    (`components.shared.generation.training_tokens`).

    Args:
        tokenizer: of the base model.
        template: renders rows as in training.
        files: the training rows.
        config: the recipe, and the system prompt of rows that have none.

    Raises:
        ConfigError: the template refuses a row.
    """
    seen: set[_Roles] = set()
    for file in files:
        for chat in file.chats:
            turns = with_system(chat.messages, config.evaluation.system_prompt)
            if not _is_new(turns, seen):
                continue
            try:
                template.render(turns, answering=False)
            except ModelError as error:
                name = f"/{chat.file}" if chat.file else ""
                raise ConfigError(f"{file.address}{name}:{chat.line}: {error}") from error


def with_system(turns: Sequence[Message], system_prompt: str | None) -> Sequence[Message]:
    """The turns of a row as they are trained: with the evaluation's system prompt, unless they have their own."""
    if system_prompt is None or turns[0].role == "system":
        return turns
    return [Message(role="system", content=system_prompt), *turns]


def _check_prompts(template: "ChatTemplate", prompts: Iterable[SuitePrompt], system_prompt: str | None) -> None:
    seen: set[_Roles] = set()
    for prompt in prompts:
        turns = conversation(prompt, system_prompt)
        if _is_new(turns, seen):
            try:
                template.render(turns, answering=True)
            except ModelError as error:
                raise ConfigError(f"suite {prompt.suite!r}: prompt {prompt.id!r}: {error}") from error


def _is_new(turns: Sequence[Message], seen: set[_Roles]) -> bool:
    roles = tuple(turn.role for turn in turns)
    if roles in seen:
        return False
    seen.add(roles)
    return True
