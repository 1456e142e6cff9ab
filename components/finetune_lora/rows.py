"""Converts the training rows for trl, in the context in which the model is asked, and checks what is trained.

The context is the system prompt of chats that have none, the folding of system turns, and the chat template's arguments
and date.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from components.shared.artifacts.suite_prompt import Message
from components.shared.data.chats import Chat
from components.shared.errors import DataError, ModelError
from components.shared.generation.chat_template import ChatTemplate, TemplateSettings, day_prelude

if TYPE_CHECKING:
    from datasets import Dataset

Turn = dict[str, str]
"""A turn as chat templates take it: role and content."""


def asked_turns(chats: Sequence[Chat], template: ChatTemplate, system_prompt: str | None) -> list[list[Turn]]:
    """The turns of each chat as the model sees them when it is asked.

    Args:
        chats: training rows.
        template: renders the chats of the evaluation.
        system_prompt: of chats that have none.

    Raises:
        ModelError: the template takes no system turns, and the settings do not say to fold them.
    """
    system = [] if system_prompt is None else [Message(role="system", content=system_prompt)]
    return [
        [
            turn.model_dump()
            for turn in template.shown(
                chat.messages if chat.messages[0].role == "system" else (*system, *chat.messages)
            )
        ]
        for chat in chats
    ]


def mark_assistant(tokenizer: Any, settings: TemplateSettings) -> bool:
    """Gives the tokenizer the template for training, with the settings' date.

    Returns:
        Whether it marks the assistant's tokens: by itself, or as trl's version of it.
    """
    from trl.chat_template_utils import get_training_chat_template

    template, marked = tokenizer.get_chat_template(), True
    try:
        template = get_training_chat_template(tokenizer) or template
    except ValueError:
        marked = False
    tokenizer.chat_template = f"{day_prelude(settings.date)}{template}"
    return marked


def training_set(rows: Sequence[list[Turn]], marked: bool, arguments: Mapping[str, JsonValue]) -> "Dataset":
    """The training rows as a data set for trl.

    Args:
        rows: the turns of each chat.
        marked: whether every assistant turn is trained on; otherwise the last answer is the completion, and the turns
            before it the prompt.
        arguments: of the chat template.
    """
    from datasets import Dataset

    common = {"chat_template_kwargs": dict(arguments)}
    if marked:
        return Dataset.from_list([{"messages": row, **common} for row in rows])
    return Dataset.from_list([{"prompt": row[:-1], "completion": row[-1:], **common} for row in rows])


def check_lengths(tokenizer: Any, rows: Sequence[list[Turn]], arguments: Mapping[str, JsonValue], limit: int) -> None:
    """Checks that no row would be truncated.

    Args:
        tokenizer: of the base model, with the template for training.
        rows: the turns of each chat.
        arguments: of the chat template.
        limit: most tokens of a row: recipe.max_length.

    Raises:
        DataError: a row is longer.
    """
    for number, row in enumerate(rows, start=1):
        tokens = len(tokenizer.apply_chat_template(row, tokenize=True, return_dict=True, **arguments)["input_ids"])
        if tokens > limit:
            asked = next(turn["content"] for turn in row if turn["role"] == "user")
            raise DataError(
                f"training row {number} has {tokens} tokens, over recipe.max_length {limit}; it begins "
                f"{asked[:60]!r}: raise max_length, or shorten or remove the row"
            )


def check_labels(trainer: Any) -> None:
    """Checks on the first rows that the loss is computed on some tokens and not on all.

    Raises:
        ModelError: it is computed on none, or on all.
    """
    rows = [trainer.train_dataset[index] for index in range(min(4, len(trainer.train_dataset)))]
    batch = trainer.data_collator(rows)
    learnt = float((batch["labels"] != -100).sum() / batch["attention_mask"].sum())
    if not 0 < learnt < 1:
        raise ModelError(
            f"{100 * learnt:.0f} % of the tokens of the first rows are trained on; expected the assistant's tokens "
            "only: correct the {% generation %} markers of the chat template"
        )
