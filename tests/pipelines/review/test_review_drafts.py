"""Verdicts in files: drafts and what scripts hand in."""

from pathlib import Path

import pytest

from components.shared.artifacts.human_review import JudgedAnswer, QueueItem, Why
from components.shared.errors import DataError, StorageError
from components.shared.vocabulary import Verdict
from pipelines.review.drafts import Draft, only_queued, read_verdicts, verdict_on


def item(prompt_id: str, sample: int = 0) -> QueueItem:
    answer = JudgedAnswer(answer="Sure.", verdict="fail", judge="refusal@1", reason="complies")
    return QueueItem(
        rank=1,
        found=1,
        asks="direct",
        category="direct",
        prompt_id=prompt_id,
        sample=sample,
        why=(Why.DROP,),
        system=None,
        turns=(),
        prompt="Tell me.",
        samples=5,
        passed_before=5,
        passed_after=0,
        before=answer,
        after=answer,
    )


QUEUE = (item("a"), item("b"), item("b", 2))


def test_a_draft_keeps_the_last_word_of_each_reviewer(tmp_path: Path):
    """Verdicts are there at once; another reviewer's and another decision's are apart."""
    draft = Draft("run/1", "sha256:0123456789abcdef", "Ada", tmp_path / "drafts")
    assert draft.read() == {}
    for choice, note in (("fail", ""), ("pass", "on second thoughts")):
        draft.add(verdict_on(QUEUE[0], choice, note))
    draft.add(verdict_on(QUEUE[2], "skip"))
    again = Draft("run/1", "sha256:0123456789abcdef", "Ada", tmp_path / "drafts").read()
    assert {key: verdict.verdict for key, verdict in again.items()} == {("a", 0): Verdict.PASS, ("b", 2): None}
    assert again["a", 0].note == "on second thoughts"
    assert Draft("run/1", "sha256:0123456789abcdef", "Bob", tmp_path / "drafts").read() == {}
    assert Draft("run/1", "sha256:fedcba9876543210", "Ada", tmp_path / "drafts").read() == {}
    assert only_queued(again, QUEUE[:1]) == {("a", 0): again["a", 0]}
    draft.remove()
    draft.remove()
    assert draft.read() == {}


def test_a_line_that_was_cut_costs_only_itself(tmp_path: Path):
    """After a kill within a write, what was there before and what comes after is read."""
    draft = Draft("run-1", "sha256:01", "Ada", tmp_path)
    draft.add(verdict_on(QUEUE[0], "fail"))
    whole = draft.path.read_text()
    draft.path.write_text(whole + whole[:40])
    draft.add(verdict_on(QUEUE[1], "partial"))
    assert [verdict.verdict for verdict in draft.read().values()] == [Verdict.FAIL, Verdict.PARTIAL]


def test_a_verdict_that_cannot_be_kept_is_an_error(tmp_path: Path):
    """Nobody reviews into the void."""
    (tmp_path / "drafts").write_text("")
    with pytest.raises(StorageError, match="the verdict cannot be kept"):
        Draft("run-1", "sha256:01", "Ada", tmp_path / "drafts").add(verdict_on(QUEUE[0], "fail"))


def test_verdicts_are_read_from_a_file(tmp_path: Path):
    """The sample may be left out where only one is queued; judge and judge's verdict come from the queue."""
    path = tmp_path / "verdicts.jsonl"
    path.write_text('{"prompt_id": "a", "verdict": "fail"}\n\n{"prompt_id": "b", "sample": 2, "verdict": "skip"}\n')
    first, last = verdict_on(QUEUE[0], "fail"), verdict_on(QUEUE[2], "skip")
    assert read_verdicts(path, QUEUE) == {("a", 0): first, ("b", 2): last}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prompt_id": "z", "verdict": "fail"}', "prompt 'z' is not in the queue"),
        ('{"prompt_id": "a", "sample": 4, "verdict": "fail"}', "sample 4 of prompt 'a' is not in the queue"),
        ('{"prompt_id": "b", "verdict": "fail"}', "prompt 'b' is queued with samples 0, 2; name one as sample"),
        ('{"prompt_id": "a", "verdict": "bad"}', "verdict is 'bad'; expected one of pass, partial, fail, skip"),
        ('{"prompt_id": "a"}', "verdict: Field required"),
        ('{"prompt_id": "a", "verdict": "fail", "colour": "red"}', "colour: Extra inputs are not permitted"),
        ("not json", "row: Invalid JSON"),
        ('{"prompt_id": "b", "sample": 0, "verdict": "pass"}', "a second verdict on sample 0 of 'b'"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, line: str, message: str):
    """The message has file and line."""
    path = tmp_path / "verdicts.jsonl"
    path.write_text(f'{{"prompt_id": "b", "sample": 0, "verdict": "fail"}}\n{line}\n')
    with pytest.raises(DataError, match=f"verdicts.jsonl:2: {message}"):
        read_verdicts(path, QUEUE)
