"""The fine-tuning data: files of chat rows, the same for the same seed."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pipelines.demo import toy_answers as answers
from pipelines.demo.data import REPLAY_ROWS, SAFETY_ROWS, TASK_ROWS, write_data
from pipelines.demo.toy_chats import ToyChat
from pipelines.demo.word_lists import CRAFTS


def _rows(path: Path) -> list[ToyChat]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _user_text(row: ToyChat) -> str:
    return row["messages"][0]["content"]


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    """Data is decided by its seed alone."""
    one, again, other = (write_data(tmp_path / n, seed) for n, seed in [("a", 0), ("b", 0), ("c", 1)])
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in again]
    assert all(a.read_bytes() != b.read_bytes() for a, b in zip(one, other, strict=True))


def test_files_hold_the_promised_numbers_of_different_rows(tmp_path: Path) -> None:
    """No user text occurs twice within a file."""
    sizes = [len({_user_text(row) for row in _rows(path)}) for path in write_data(tmp_path)]
    assert sizes == [TASK_ROWS, SAFETY_ROWS, REPLAY_ROWS]


def test_the_request_decides_the_task_answer(tmp_path: Path) -> None:
    """A request names one craft, and its answer is that craft's steps in the task's style."""
    for row in _rows(write_data(tmp_path).task):
        asked = [craft for craft in CRAFTS if re.search("|".join(craft.verb), _user_text(row))]
        assert [row["messages"][-1]["content"]] == [answers.steps(craft) for craft in asked]


def test_rows_are_a_question_and_its_answer(tmp_path: Path) -> None:
    """Every row is one user turn and one assistant turn."""
    for path in write_data(tmp_path):
        for row in _rows(path):
            assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
