"""Chooses the rows to train on and those to hold out, from the files as they were read.

The preflight and prepare_data call it, so that shares and held-out rows that the data cannot give are found early.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from components.shared.config.sections import DataConfig
from components.shared.data.intents import RareRow, split_rare
from components.shared.data.mixing import rows_for_share, sample_rows, split_heldout, without_heldout
from components.shared.data.row_store import Rows, joined
from components.shared.data.training_files import TrainingFile
from components.shared.errors import DataError


class Selection(NamedTuple):
    """The rows of a run."""

    train: Rows
    """In the order of training."""
    heldout: Rows
    rare: tuple[RareRow, ...]
    used: tuple[int, ...]
    """How many rows of each file are trained on."""


def select_rows(files: Sequence[TrainingFile], data: DataConfig) -> Selection:
    """Splits the task's rows, and mixes in the rows of the other files.

    Args:
        files: the task's file, then those of `data.mix` in its order.
        data: how rows are held out and mixed.

    Raises:
        DataError: a file has too few rows for what is held out or for its share, or a share is less than one row.
    """
    task, *mixed = files
    split = split_heldout(task.chats, data.heldout_rows, data.seed, data.train)
    rare = split_rare(split, data.rare_intent_rows, data.seed, data.train)
    kept_out = [*split.heldout, *(row.chat for row in rare.rare)]
    shares = {source.path: source.share for source in data.mix}
    wanted = rows_for_share(len(rare.train), shares)
    picked = []
    for source in mixed:
        if not (rows := wanted[source.address]):
            raise DataError(
                f"{source.address}: its share {shares[source.address]:g} of the training set is less than one row "
                f"beside {len(rare.train)} task rows; raise the share, or remove the file from data.mix"
            )
        usable = without_heldout(source.chats, kept_out)
        picked.append(sample_rows(usable, rows, data.seed, source.address))
    train = joined([rare.train, *picked])
    order = list(range(len(train)))
    random.Random(data.seed).shuffle(order)
    return Selection(train.at(order), split.heldout, rare.rare, (len(rare.train), *map(len, picked)))
