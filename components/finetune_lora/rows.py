"""Converts the training rows for trl, and checks which tokens are trained on and that no row is truncated."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from components.shared.data.chats import Chat
from components.shared.errors import DataError, ModelError

if TYPE_CHECKING:
    from datasets import Dataset


def can_mask_assistant(tokenizer: Any) -> bool:
    """Whether the chat template marks the assistant's tokens, or trl knows one that does."""
    from trl.chat_template_utils import get_training_chat_template

    try:
        get_training_chat_template(tokenizer)
    except ValueError:
        return False
    return True


def training_set(chats: Sequence[Chat], masked: bool) -> "Dataset":
    """The training rows as a data set for trl.

    With `masked` whole chats, of which every assistant turn is trained on; otherwise the last answer as completion and
    the turns before it as prompt.
    """
    from datasets import Dataset

    turns = [[message.model_dump() for message in chat.messages] for chat in chats]
    if masked:
        return Dataset.from_list([{"messages": row} for row in turns])
    return Dataset.from_list([{"prompt": row[:-1], "completion": row[-1:]} for row in turns])


def check_lengths(tokenizer: Any, chats: Sequence[Chat], limit: int) -> None:
    """Checks that no row would be truncated.

    Args:
        tokenizer: of the base model, with its chat template.
        chats: training rows.
        limit: most tokens of a row: recipe.max_length.

    Raises:
        DataError: a row is longer.
    """
    for number, chat in enumerate(chats, start=1):
        messages = [message.model_dump() for message in chat.messages]
        tokens = len(tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True)["input_ids"])
        if tokens > limit:
            raise DataError(
                f"training row {number} has {tokens} tokens, over recipe.max_length {limit}; it begins "
                f"{chat.user_texts[0][:60]!r}: raise max_length, or shorten or remove the row"
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
