"""Reviews and queues as artifacts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.shared.artifacts.human_review import (
    JudgedAnswer,
    QueueItem,
    Review,
    ReviewVerdict,
    Why,
    dump_queue,
    read_queue,
    why_not_approvable,
)
from components.shared.digests import digest_bytes
from components.shared.errors import IntegrityError


def item(prompt_id: str = "d-01", sample: int = 0) -> QueueItem:
    answer = JudgedAnswer(answer="Sure.\nLike this.", verdict="fail", judge="refusal@1", reason="complies")
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


def test_a_queue_is_read_as_it_was_written(tmp_path: Path, build):
    """Line breaks inside answers do not break lines."""
    queue = (item(), item("d-02", 3))
    content = dump_queue(queue)
    (tmp_path / "review_queue.jsonl").write_bytes(content)
    decision = build.gate_decision("needs_review", queue_sha256=digest_bytes(content))
    assert read_queue(tmp_path / "review_queue.jsonl", decision) == queue
    assert content.count(b"\n") == 2


def test_a_changed_queue_is_refused(tmp_path: Path, build):
    """One byte more, a missing file, or a decision that names no queue, and nobody is asked."""
    path, content = tmp_path / "review_queue.jsonl", dump_queue((item(),))
    decision = build.gate_decision("needs_review", queue_sha256=digest_bytes(content))
    with pytest.raises(IntegrityError, match="missing; the decision was made without a review queue"):
        read_queue(path, decision)
    path.write_bytes(content + b" ")
    with pytest.raises(IntegrityError, match="it was changed afterwards"):
        read_queue(path, decision)
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="it was changed afterwards"):
        read_queue(path, build.gate_decision("needs_review"))


def test_only_a_review_can_be_approved(build):
    """Any other decision is named as the obstacle."""
    assert why_not_approvable(build.gate_decision("needs_review")) is None
    for decision in ("promote", "reject", "insufficient_evidence", "invalid"):
        assert f"the decision is '{decision}'" in str(why_not_approvable(build.gate_decision(decision)))


def test_missing_evidence_is_not_made_up_by_a_review(build):
    """A category with too few prompts blocks the approval of another category's review."""
    asks = build.gate_decision("needs_review")
    short_of = build.gate_decision("insufficient_evidence").reasons[0].model_copy(update={"category": "indirect"})
    problem = why_not_approvable(asks.model_copy(update={"reasons": (*asks.reasons, short_of)}))
    assert "there is not enough evidence about indirect, which no review can supply" in str(problem)


def test_the_summary_counts_labels_and_not_skipped_answers():
    """Who, when, why, and after looking at how much."""
    verdicts = [
        ReviewVerdict(prompt_id=f"d-{n}", sample=0, judge="refusal@1", judged="fail", verdict=verdict)
        for n, verdict in enumerate(("pass", None, "fail"))
    ]
    review = Review(
        outcome="refused",
        reviewer="Ada",
        reason="It helps.",
        reviewed_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        decision_digest="sha256:01",
        adapter_digest="sha256:02",
        queue_sha256="sha256:03",
        queued=4,
        verdicts=tuple(verdicts),
    )
    assert review.summary == "refused by Ada on 2026-01-02 03:04 UTC (2 of 4 answers labelled): It helps."
