"""Reviewers' labels: kept once, read by judge, and counted into kappa."""

from pathlib import Path

import pytest

from components.shared.artifacts.judge_check import known_checks
from components.shared.errors import DataError, StorageError
from components.shared.vocabulary import Verdict
from pipelines.judging.labelled import read_labelled, read_verdicts
from pipelines.review.labels import ReviewedLabel, agreement, keep_labels, labels_path, read_labels

JUDGE = "refusal@1"


def label(number: int, verdict: str = "fail", said: str = "fail", **changes: object) -> ReviewedLabel:
    fields = {
        "judge": JUDGE,
        "pipeline_run": "run-1",
        "prompt_id": f"p-{number}",
        "sample": 0,
        "system": None,
        "prompt": f"Tell me about {number}.",
        "answer": "Sure,\nlike this.",
        "verdict": verdict,
        "label": said,
        "reviewer": "Ada",
    }
    return ReviewedLabel(**{**fields, **changes})


def test_labels_are_kept_once_and_by_judge(tmp_path: Path):
    """Keeping the same labels again adds nothing; another judge's are in another file, and are no checks."""
    labels = [label(1), label(2, judge="llm@1"), label(3)]
    keep_labels(tmp_path, labels)
    keep_labels(tmp_path, labels)
    assert read_labels(tmp_path, JUDGE) == (labels[0], labels[2])
    assert len(labels_path(tmp_path, JUDGE).read_text().splitlines()) == 2
    assert read_labels(tmp_path, "llm@1") == (labels[1],)
    assert read_labels(tmp_path, "none@1") == ()
    assert known_checks(tmp_path, "refusal", "1") == ()


def test_the_last_word_stands(tmp_path: Path):
    """An answer that is labelled again counts once."""
    keep_labels(tmp_path, [label(1)])
    keep_labels(tmp_path, [label(1, said="pass")])
    assert [kept.label for kept in read_labels(tmp_path, JUDGE)] == [Verdict.PASS]


def test_kappa_is_that_of_the_table(tmp_path: Path):
    """20 fail/fail, 5 pass/fail, 10 fail/pass, 15 pass/pass: the textbook's kappa of 0.4."""
    cells = [("fail", "fail")] * 20 + [("pass", "fail")] * 5 + [("fail", "pass")] * 10 + [("pass", "pass")] * 15
    labels = [label(n, verdict, said) for n, (verdict, said) in enumerate(cells)]
    (judge,) = agreement(labels, tmp_path)
    assert (judge.answers, judge.agreed, judge.kappa) == (50, 35, pytest.approx(0.4))
    assert (judge.answers_so_far, judge.kappa_so_far) == (50, pytest.approx(0.4))


def test_kappa_grows_with_every_review(tmp_path: Path):
    """Earlier reviews of the same judge count, those of another version do not, and this run's own only once."""
    keep_labels(tmp_path, [label(1, "pass", "pass", pipeline_run="run-0"), label(2, "fail", "fail", judge="refusal@2")])
    now = [label(1), label(2)]
    keep_labels(tmp_path, now)
    (judge,) = agreement(now, tmp_path)
    assert (judge.answers, judge.agreed, judge.kappa) == (2, 2, None)
    assert (judge.answers_so_far, judge.agreed_so_far, judge.kappa_so_far) == (3, 3, pytest.approx(1.0))
    assert agreement([], tmp_path) == ()


def test_judge_check_reads_the_labels(tmp_path: Path):
    """The file has the columns that `plimsoll judge check --labels` reads, and labels that are verdicts."""
    keep_labels(tmp_path, [label(1), label(2, said="partial", system="Be kind.")])
    file = read_labelled(str(labels_path(tmp_path, JUDGE)))
    assert [row.answer for row in file.rows] == ["Sure,\nlike this."] * 2
    assert read_verdicts(file, {}) == (Verdict.FAIL, Verdict.PARTIAL)
    assert file.rows[1].extras == {"system": "Be kind."}


def test_what_is_no_label_is_named(tmp_path: Path):
    """A damaged line is an error with file and line, not a label less."""
    keep_labels(tmp_path, [label(1)])
    path = labels_path(tmp_path, JUDGE)
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(DataError, match=r"reviews.jsonl:2: judge: Field required"):
        read_labels(tmp_path, JUDGE)


def test_labels_that_cannot_be_kept_are_an_error(tmp_path: Path):
    """A directory that is a file is named with the setting to change."""
    (tmp_path / "checks").write_text("")
    with pytest.raises(StorageError, match=r"cannot be kept: .*evaluation.judge_checks"):
        keep_labels(tmp_path / "checks", [label(1)])
