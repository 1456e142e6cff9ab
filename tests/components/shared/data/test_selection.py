"""The rows of a run, chosen without a model."""

import pytest

from components.shared.config.sections import DataConfig, MixSource
from components.shared.data.row_store import RowStore, keep_rows
from components.shared.data.selection import select_rows
from components.shared.data.training_files import TrainingFile
from components.shared.errors import DataError


def file(store: RowStore, build, name: str, role: str, count: int, text: str = "{name} {number}") -> TrainingFile:
    chats = (build.chat(text.format(name=name, number=n), line=n) for n in range(1, count + 1))
    return TrainingFile(name, role, name, "chat", keep_rows(chats, store), (), {name: name})


def config(share: float = 0.2) -> DataConfig:
    return DataConfig(train="task", mix=(MixSource(path="mix", role="replay", share=share),), heldout_rows=2)


def test_rows_are_held_out_and_mixed(build):
    """8 of 10 task rows and 2 of the mixed file are trained on, and the held-out rows are not among them."""
    store = RowStore()
    files = [file(store, build, "task", "task", 10), file(store, build, "mix", "replay", 5)]
    selected = select_rows(files, config())
    assert (selected.used, len(selected.train), len(selected.heldout)) == ((8, 2), 10, 2)
    assert not set(selected.heldout) & set(selected.train)


@pytest.mark.parametrize(
    ("count", "text", "share", "message"),
    [
        (2, "{name} {number}", 0.2, "task: has 2 different prompts and data.heldout_rows is 2"),
        (50, "{name}", 0.2, "task: has 1 different prompts and data.heldout_rows is 2"),
        (50, "{name} {number}", 0.2, "mix: has 5 rows, but its share of the training set takes 12"),
        (5, "{name} {number}", 0.1, "mix: its share 0.1 of the training set is less than one row"),
    ],
)
def test_what_the_rows_cannot_give_is_refused(build, count: int, text: str, share: float, message: str):
    """Too few rows, rows that are all one, and shares that are too large or less than one row."""
    store = RowStore()
    files = [file(store, build, "task", "task", count, text), file(store, build, "mix", "replay", 5)]
    with pytest.raises(DataError, match=message):
        select_rows(files, config(share))
