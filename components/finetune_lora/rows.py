"""The training rows as trl reads them: which tokens are learnt, and that no row is cut.

Imports trl and datasets when called. It does not train.
"""

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
    """Rows as trl reads them.

    Whole chats where every assistant turn can be masked in; otherwise, as the portable fallback, the turns before
    the last answer as prompt and the last answer as completion.
    """
    from datasets import Dataset

    turns = [[message.model_dump() for message in chat.messages] for chat in chats]
    if masked:
        return Dataset.from_list([{"messages": row} for row in turns])
    return Dataset.from_list([{"prompt": row[:-1], "completion": row[-1:]} for row in turns])


def check_lengths(tokenizer: Any, chats: Sequence[Chat], limit: int) -> None:
    """Makes sure that no row would be cut.

    Args:
        tokenizer: of the base model, with its chat template.
        chats: training rows.
        limit: tokens; recipe.max_length.

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
    """Makes sure that the loss sees the assistant's tokens and no others, on the first rows.

    Raises:
        ModelError: it sees none, or all.
    """
    rows = [trainer.train_dataset[index] for index in range(min(4, len(trainer.train_dataset)))]
    batch = trainer.data_collator(rows)
    learnt = float((batch["labels"] != -100).sum() / batch["attention_mask"].sum())
    if not 0 < learnt < 1:
        raise ModelError(
            f"{100 * learnt:.0f} % of the tokens of the first rows are trained on; expected the assistant's tokens "
            "only: the chat template's {% generation %} markers do not work"
        )
