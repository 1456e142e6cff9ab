"""Answer rows on disk."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.answer_rows import read_answers, write_answers
from components.shared.digests import digest_bytes
from components.shared.errors import IntegrityError


@given(st.lists(st.text(), max_size=4))
def test_answers_come_back_whatever_they_hold(tmp_path: Path, build, texts: list[str]):
    """Any text survives the file, line separators of every kind included."""
    rows = tuple(build.row(sample=n, answer=text) for n, text in enumerate(texts))
    path = tmp_path / "answers.jsonl"
    assert read_answers(path, write_answers(rows, path)) == rows


def test_equal_answers_are_equal_bytes(tmp_path: Path, build):
    """Writing the same rows twice gives the same digest, and leaves no partial file."""
    rows = build.rows("a", 1, 2)
    assert write_answers(rows, tmp_path / "x") == write_answers(rows, tmp_path / "y")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "y"]


def test_changed_answers_are_refused(tmp_path: Path, build):
    """A verdict that was edited after judging is found."""
    path = tmp_path / "answers.jsonl"
    digest = write_answers([build.row(verdict="fail")], path)
    path.write_text(path.read_text().replace('"fail"', '"pass"'))
    with pytest.raises(IntegrityError, match="the answers were changed after judging"):
        read_answers(path, digest)


def test_missing_answers_are_refused(tmp_path: Path):
    """A file that is not there says that the evaluation did not finish."""
    with pytest.raises(IntegrityError, match="missing; the evaluation did not finish"):
        read_answers(tmp_path / "answers.jsonl", digest_bytes(b""))
