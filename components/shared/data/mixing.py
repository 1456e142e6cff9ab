"""Splits off held-out rows and mixes the sources in their shares."""

import random
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from components.shared.data.chats import Chat
from components.shared.data.row_store import Rows, digests_of
from components.shared.errors import DataError


class Split(NamedTuple):
    """Rows to train on, and rows kept out of training."""

    train: Rows
    heldout: Rows


def split_heldout(chats: Rows, rows: int, seed: int, where: str) -> Split:
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
        return Split(chats, chats[:0])
    different = chats.different()
    if rows >= len(different):
        raise DataError(
            f"{where}: has {len(different)} different prompts and data.heldout_rows is {rows}; expected fewer held-out "
            "rows than prompts, so that something is left to train on"
        )
    heldout = different.at(sorted(random.Random(seed).sample(range(len(different)), rows)))
    return Split(chats.where(~np.isin(chats.digests, heldout.digests)), heldout)


def without_heldout(chats: Rows, heldout: Iterable[Chat]) -> Rows:
    """The rows of a mixed-in file whose user texts are not those of a held-out row."""
    return chats.where(~np.isin(chats.digests, digests_of(heldout)))


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


def sample_rows(chats: Rows, rows: int, seed: int, where: str) -> Rows:
    """Rows drawn without replacement, in file order.

    Raises:
        DataError: the file has fewer rows.
    """
    if rows > len(chats):
        raise DataError(
            f"{where}: has {len(chats)} rows, but its share of the training set takes {rows}; add rows or lower the "
            "share"
        )
    return chats.at(sorted(random.Random(seed).sample(range(len(chats)), rows)))
