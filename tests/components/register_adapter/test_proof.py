"""Only the adapter that was evaluated, under the decision that promotes it, gets a version."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from components.shared.artifacts.decision import GateDecision
from components.shared.artifacts.human_review import Review
from components.shared.audit import open_log, record
from components.shared.config.run_context import RunContext
from components.shared.digests import digest_json
from components.shared.errors import IntegrityError
from components.shared.tracking.runs import Tracker
from tests.components.register_adapter.conftest import run, versions


def forge(directory: Path, **changes: Any) -> GateDecision:
    """Changes a decision and gives it the digest that it should have: a forger who knows the format."""
    path = directory / "decision" / "gate_decision.json"
    envelope = json.loads(path.read_text())
    envelope["content"].update(changes)
    envelope["digest"] = digest_json(envelope["content"])
    path.write_text(json.dumps(envelope, indent=1, ensure_ascii=False) + "\n")
    return GateDecision.load(path)


def as_if_passed(directory: Path) -> dict[str, Any]:
    """Every reason of a decision as a promotion."""
    content = json.loads((directory / "decision" / "gate_decision.json").read_text())["content"]
    reasons = [{**reason, "decision": reason["decision"] and "promote"} for reason in content["reasons"]]
    return {"decision": "promote", "reasons": reasons, "queue_sha256": None, "witnesses": []}


def record_as_decided(decision: GateDecision, context: RunContext) -> None:
    """An entry of somebody who may append to the log."""
    facts = {
        "decision": decision.decision.value,
        "decision_digest": decision.digest,
        "adapter_digest": decision.adapter_digest,
    }
    record(context, "decided", decision.summary, facts)


def test_a_forged_promotion_is_not_in_the_log(tmp_path: Path, build, context: RunContext):
    """A rejection that was made a promotion, reasons and digest included, registers nothing."""
    build.world(tmp_path, broken=30).check_gate(context)
    forge(tmp_path, **as_if_passed(tmp_path))
    with pytest.raises(
        IntegrityError, match=r"the decision has decision 'promote', entry 6 of the audit log \S+ says 'r"
    ):
        run(tmp_path, context, "adapter")
    assert versions(context) == []


def test_a_forged_promotion_that_is_in_the_log_has_no_evidence(tmp_path: Path, build, context: RunContext):
    """Who can write the store and append to the log would have to forge every answer as well."""
    build.world(tmp_path, broken=30).check_gate(context)
    record_as_decided(forge(tmp_path, **as_if_passed(tmp_path)), context)
    with pytest.raises(IntegrityError, match=r"leads to the decision 'reject' in its own gate_decision.json"):
        run(tmp_path, context, "adapter")
    Tracker(context).parent().file(tmp_path / "decision" / "gate_decision.json", "evidence")
    with pytest.raises(IntegrityError, match="the evidence of run 'run-1' does not lead to its decision") as caught:
        run(tmp_path, context, "adapter")
    assert "plimsoll verify run-1" in str(caught.value)
    assert versions(context) == []


def test_a_decision_without_evidence_is_refused(world, tmp_path: Path, context: RunContext):
    """Somebody removed the folder that the gate logged."""
    (folder,) = tmp_path.glob("**/artifacts/evidence")
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(IntegrityError, match="has no folder 'evidence', which check_gate logs with every decision"):
        run(tmp_path, context)
    assert versions(context) == []


def test_a_log_without_the_decision_is_refused(world, tmp_path: Path, context: RunContext):
    """A step that is given another log than the gate had does not guess."""
    tracking = context.tracking.model_copy(update={"audit_log": str(tmp_path / "other.jsonl")})
    with pytest.raises(IntegrityError, match="has no entry `decided` of run 'run-1'"):
        run(tmp_path, context._replace(tracking=tracking))
    assert versions(context) == []


def test_an_edit_in_the_middle_of_the_log_is_found(world, tmp_path: Path, context: RunContext):
    """The whole log is verified, not its end alone."""
    for _ in range(2):
        record(context, "trained", "A reason.", {})
    log = Path(context.tracking.audit_log)
    log.write_text(log.read_text().replace('"promote"', '"reject!"', 1))
    with pytest.raises(IntegrityError, match=r"line 7: entry 6 was edited.*plimsoll audit verify"):
        run(tmp_path, context)
    assert versions(context) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pipeline_run": "run-2"}, "about run 'run-1', this step is about 'run-2'"),
        ({"pipeline": "other"}, "about pipeline 'toy', this step is about 'other'"),
    ],
)
def test_a_decision_holds_for_its_own_run(world, tmp_path: Path, context: RunContext, changes: dict, message: str):
    """A promotion of one run opens the door to no other one."""
    with pytest.raises(IntegrityError, match=message):
        run(tmp_path, context._replace(**changes))
    with pytest.raises(IntegrityError, match="about registered model 'toy', this step is about 'other'"):
        run(tmp_path, context, model_name="other")
    assert versions(context) == []


def test_an_earlier_decision_of_the_run_does_not_count(world, tmp_path: Path, build, context: RunContext):
    """The gate was tried again and came to another decision: the last one in the log is the run's."""
    build.world(tmp_path / "again", broken=30).check_gate(context)
    with pytest.raises(IntegrityError, match="it is not the decision that check_gate made"):
        run(tmp_path, context)
    assert versions(context) == []


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
def test_a_changed_file_is_refused(promoted: GateDecision, tmp_path: Path, context: RunContext, name: str):
    """One byte changed after evaluation, and nothing is registered."""
    with (tmp_path / "passed" / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(IntegrityError, match="they were changed after evaluation; nothing was registered"):
        run(tmp_path, context)
    assert versions(context) == []


def test_another_manifest_is_refused(promoted: GateDecision, tmp_path: Path, context: RunContext, build):
    """The provenance that is registered is the one that the gate saw."""
    build.manifest(promoted.adapter_digest, base_digest="sha256:0ther").save(tmp_path / "passed" / "manifest.json")
    with pytest.raises(IntegrityError, match="manifest is not the one that the decision is about"):
        run(tmp_path, context)
    assert versions(context) == []


@pytest.fixture
def reviewed(tmp_path: Path, build, context: RunContext):
    """Leaves a decision that asks for a review, or another one, and a review, with some fields exchanged."""

    def write(other: GateDecision | None = None, **changes: object) -> Review:
        made = build.world(tmp_path, build.policy(flag_drop_pp=50), broken=7).check_gate(context)
        decision = other or made
        decision.save(tmp_path / "decision" / "gate_decision.json")
        fields = {
            "outcome": "approved",
            "reviewer": "Ada",
            "reason": "They are harmless.",
            "reviewed_at": datetime(2026, 1, 2, tzinfo=UTC),
            "decision_digest": decision.digest,
            "adapter_digest": decision.adapter_digest,
            "queue_sha256": str(decision.queue_sha256),
            "queued": 1,
            "verdicts": (),
        }
        review = Review(**{**fields, **changes})
        review.save(tmp_path / "decision" / "review.json")
        return review

    return write


def test_what_a_review_approves_is_registered(reviewed, tmp_path: Path, context: RunContext):
    """The version says who approved it, why and by which review; the audit log names the reviewer."""
    review = reviewed()
    registration = run(tmp_path, context, "adapter")
    assert registration.inputs["review"] == review.digest
    (version,) = versions(context)
    assert version.tags["plimsoll.decision"] == "needs_review"
    assert version.tags["plimsoll.reviewer"] == "Ada"
    assert version.tags["plimsoll.review_reason"] == "They are harmless."
    assert version.tags["plimsoll.review_digest"] == review.digest
    assert version.description.startswith("approved by Ada on 2026-01-02 00:00 UTC")
    *_, entry = open_log(context.tracking.audit_log).entries()
    assert (entry.event, entry.who, entry.facts["review_digest"]) == ("registered", "Ada", review.digest)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outcome": "refused"}, "Ada refused the adapter: They are harmless."),
        ({"decision_digest": "sha256:0ther"}, "the review of Ada is about decision 0ther"),
        ({"adapter_digest": "sha256:0ther"}, "the review of Ada is about decision"),
    ],
)
def test_a_review_that_does_not_approve_this_decision_is_refused(
    reviewed, tmp_path: Path, context: RunContext, changes: dict, message: str
):
    """A refusal, and a review of another decision or adapter, let nothing in."""
    reviewed(**changes)
    with pytest.raises(IntegrityError, match=f"{message}.*nothing was registered"):
        run(tmp_path, context, "adapter")
    assert versions(context) == []


def test_a_review_makes_up_for_no_missing_evidence(reviewed, tmp_path: Path, context: RunContext, build):
    """Where another category has too few prompts, an approval registers nothing."""
    asks, short_of = (build.gate_decision(word).reasons[0] for word in ("needs_review", "insufficient_evidence"))
    reasons = (asks, short_of.model_copy(update={"category": "indirect"}))
    reviewed(build.gate_decision("needs_review", reasons=reasons))
    with pytest.raises(IntegrityError, match=r"not enough evidence about indirect.*nothing was registered"):
        run(tmp_path, context, "adapter")
    assert versions(context) == []


@pytest.mark.parametrize("word", ["reject", "insufficient_evidence", "invalid"])
def test_a_review_overrules_no_other_decision(reviewed, build, tmp_path: Path, context: RunContext, word: str):
    """Only needs_review can be approved."""
    reviewed(build.gate_decision(word))
    with pytest.raises(IntegrityError, match=f"the decision is '{word}', expected 'promote'"):
        run(tmp_path, context, "adapter")
    assert versions(context) == []


def test_a_changed_adapter_is_refused_in_spite_of_a_review(reviewed, tmp_path: Path, context: RunContext):
    """The files are re-hashed after a review too."""
    reviewed()
    with (tmp_path / "adapter" / "adapter_model.safetensors").open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(IntegrityError, match="they were changed after evaluation; nothing was registered"):
        run(tmp_path, context, "adapter")
    assert versions(context) == []


@pytest.mark.parametrize("word", ["reject", "needs_review", "insufficient_evidence", "invalid"])
def test_any_other_decision_is_refused(promoted: GateDecision, tmp_path: Path, context: RunContext, build, word: str):
    """Only promote promotes, even where the graph took the wrong branch."""
    other = build.gate_decision(word, adapter_digest=promoted.adapter_digest, inputs=promoted.inputs)
    other.save(tmp_path / "decision" / "gate_decision.json")
    with pytest.raises(IntegrityError, match=f"the decision is '{word}', expected 'promote'; nothing was registered"):
        run(tmp_path, context)
    assert versions(context) == []
