"""The prompt set of a run, and a report with its rows."""

from pathlib import Path

import pytest

from components.shared.artifacts.reports import load_report
from components.shared.errors import IntegrityError
from components.shared.suites.prompt_sets import load_prompts


def test_prompts_are_read_with_their_suites(tmp_path: Path, build):
    """Each prompt names the suite that it belongs to."""
    prompts = [build.prompt("a"), build.prompt("b", suite="other")]
    written = build.prompt_files(tmp_path, prompts)
    loaded = load_prompts(tmp_path)
    assert loaded.prompt_set == written
    assert loaded.prompts == tuple(prompts)


def test_changed_prompts_are_refused(tmp_path: Path, build):
    """A prompt that was edited after it was prepared is found."""
    build.prompt_files(tmp_path, [build.prompt("a")])
    path = tmp_path / "prompts.jsonl"
    path.write_text(path.read_text().replace("about a", "about b"))
    with pytest.raises(IntegrityError, match=r"prompts\.jsonl: has digest"):
        load_prompts(tmp_path)


def test_a_report_comes_with_its_rows(tmp_path: Path, build):
    """Report and rows are loaded together, and rows of another report are refused."""
    rows = build.rows("a", 1, 2)
    report = build.report_files(tmp_path, rows)
    assert load_report(tmp_path) == (report, tuple(rows))
    build.report_files(tmp_path / "other", build.rows("a", 2, 2))
    (tmp_path / "other" / "answers.jsonl").replace(tmp_path / "answers.jsonl")
    with pytest.raises(IntegrityError, match="the answers were changed after judging"):
        load_report(tmp_path)
