"""The evidence of a decision against the adapter."""

from pathlib import Path

import pytest

from components.reject_adapter.step import reject_adapter
from components.shared.artifacts.decision import Rejection
from components.shared.audit import open_log
from components.shared.config.run_context import RunContext
from components.shared.errors import IntegrityError
from components.shared.tracking.runs import Tracker


@pytest.mark.parametrize("word", ["reject", "needs_review", "insufficient_evidence", "invalid"])
def test_the_evidence_is_left_and_no_version_is_made(tmp_path: Path, build, context: RunContext, word: str):
    """Any decision but promote leaves a rejection with the decision's digest, an audit entry and an empty registry."""
    decision = build.gate_decision(word)
    decision.save(tmp_path / "gate_decision.json")
    rejection = reject_adapter(tmp_path, tmp_path / "out", context)
    assert Rejection.load(tmp_path / "out" / "rejection.json") == rejection
    assert (rejection.decision, rejection.summary) == (decision.decision, decision.summary)
    assert rejection.inputs == {"gate_decision": decision.digest}
    tracker = Tracker(context)
    (stage,) = tracker._stages()
    assert stage.data.tags["plimsoll.decision"] == word
    assert {entry.path for entry in tracker.client.list_artifacts(stage.info.run_id)} == {
        "gate_decision.json",
        "rejection.json",
    }
    assert list(tracker.client.search_registered_models()) == []
    (entry,) = open_log(context.tracking.audit_log).entries()
    assert (entry.event, entry.why) == ("rejected", decision.summary)
    assert entry.facts == {
        "decision": word,
        "decision_digest": decision.digest,
        "adapter_digest": decision.adapter_digest,
    }


def test_an_adapter_that_passed_is_not_rejected(tmp_path: Path, build, context: RunContext):
    """A graph that took the wrong branch fails."""
    build.gate_decision("promote").save(tmp_path / "gate_decision.json")
    with pytest.raises(IntegrityError, match="an adapter that passed is not rejected"):
        reject_adapter(tmp_path, tmp_path / "out", context)
    assert not (tmp_path / "out").exists()
