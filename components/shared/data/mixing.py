"""Splits off held-out rows and mixes the sources in their shares."""

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from components.shared.data.chats import Chat
from components.shared.data.overlap import user_fingerprints
from components.shared.errors import DataError


class Split(NamedTuple):
    """Rows to train on, and rows kept out of training."""

    train: tuple[Chat, ...]
    heldout: tuple[Chat, ...]


def split_heldout(chats: Sequence[Chat], rows: int, seed: int, where: str) -> Split:
    """Keeps `rows` rows out of training; rows with equal user texts stay together.

    The choice depends on rows and seed only, not on what is mixed in later, so runs of one task have the same held-out
    rows.

    Args:
        chats: the task's rows.
        rows: how many to keep out; each with a different text.
        seed: of the choice.
        where: the file's address, for errors.

    Raises:
        DataError: there are not more than `rows` different texts, so nothing would be left to train on.
    """
    if rows == 0:
        return Split(tuple(chats), ())
    texts = [user_fingerprints(chat) for chat in chats]
    different = sorted(set(texts))
    if rows >= len(different):
        raise DataError(
            f"{where}: has {len(different)} different prompts and data.heldout_rows is {rows}; expected fewer held-out "
            "rows than prompts, so that something is left to train on"
        )
    chosen = set(random.Random(seed).sample(different, rows))
    heldout: dict[tuple[str, ...], Chat] = {}
    for chat, text in zip(chats, texts, strict=True):
        if text in chosen:
            heldout.setdefault(text, chat)
    train = tuple(chat for chat, text in zip(chats, texts, strict=True) if text not in chosen)
    return Split(train, tuple(heldout[text] for text in sorted(heldout)))


def without_heldout(chats: Sequence[Chat], heldout: Sequence[Chat]) -> tuple[Chat, ...]:
    """The rows of a mixed-in file whose user texts are not those of a held-out row."""
    kept_out = {user_fingerprints(chat) for chat in heldout}
    return tuple(chat for chat in chats if user_fingerprints(chat) not in kept_out)


def rows_for_share(task_rows: int, shares: Mapping[str, float]) -> dict[str, int]:
    """The rows to draw from each source so that it has its share of the training set; all task rows are used.

    Args:
        task_rows: rows that are not from a source.
        shares: share of the final training set, by source; together below 1.

    Returns:
        Rows per source, rounded to the nearest row.
    """
    total = task_rows / (1 - sum(shares.values()))
    return {name: round(share * total) for name, share in shares.items()}


def sample_rows(chats: Sequence[Chat], rows: int, seed: int, where: str) -> tuple[Chat, ...]:
    """Rows drawn without replacement, in file order.

    Raises:
        DataError: the file has fewer rows.
    """
    if rows > len(chats):
        raise DataError(
            f"{where}: has {len(chats)} rows, but its share of the training set takes {rows}; add rows or lower the "
            "share"
        )
    picked = set(random.Random(seed).sample(range(len(chats)), rows))
    return tuple(chat for index, chat in enumerate(chats) if index in picked)
