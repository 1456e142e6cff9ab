"""Only the adapter that was evaluated, under the decision that promotes it, gets a version."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.register_adapter.step import register_adapter
from components.shared.artifacts.decision import GateDecision, Registration
from components.shared.artifacts.human_review import Review
from components.shared.audit import open_log
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.run_context import RunContext
from components.shared.config.sections import RegistryConfig
from components.shared.errors import IntegrityError, StorageError
from components.shared.tracking.registry import champion_version
from components.shared.tracking.runs import Tracker


@pytest.fixture
def promoted(tmp_path: Path, build) -> GateDecision:
    adapter = build.adapter_files(tmp_path / "adapter")
    manifest = build.manifest(adapter)
    manifest.save(tmp_path / "adapter" / "manifest.json")
    decision = build.gate_decision(adapter_digest=adapter, inputs={"adapter_manifest": manifest.digest})
    decision.save(tmp_path / "decision" / "gate_decision.json")
    return decision


def run(directory: Path, context: RunContext) -> Registration:
    return register_adapter(
        directory / "adapter",
        directory / "decision",
        BaseModelRef(path="models/toy"),
        EvaluationConfig(system_prompt="Be kind."),
        RegistryConfig(model_name="toy"),
        directory / "out",
        context,
    )


def versions(context: RunContext) -> list:
    return list(Tracker(context).client.search_model_versions("name = 'toy'"))


def test_what_passed_is_registered_and_champion(promoted: GateDecision, tmp_path: Path, context: RunContext):
    """One version, with all digests as tags, the served files and nothing else, and the run knows it."""
    registration = run(tmp_path, context)
    assert Registration.load(tmp_path / "out" / "registration.json") == registration
    assert (registration.version, registration.replaces) == ("1", None)
    (version,) = versions(context)
    assert version.tags["plimsoll.adapter_digest"] == promoted.adapter_digest
    assert version.tags["plimsoll.decision_digest"] == promoted.digest
    assert version.description == promoted.summary
    tracker = Tracker(context)
    assert champion_version(tracker.client, "toy") == "1"
    assert tracker.parent().read_tags()["plimsoll.registered_version"] == "1"


def test_the_model_holds_the_adapter_that_was_evaluated(promoted: GateDecision, tmp_path: Path, context: RunContext):
    """The registered files are byte for byte the ones on disk, and the model's config names base and system prompt."""
    import mlflow

    run(tmp_path, context)
    uri = context.tracking.uri
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        local = Path(mlflow.artifacts.download_artifacts("models:/toy@champion", dst_path=str(tmp_path / "got")))
    finally:
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)
    (weights,) = local.rglob("adapter_model.safetensors")
    assert weights.read_bytes() == (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes()
    assert sorted(path.name for path in weights.parent.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "manifest.json",
    ]
    description = (local / "MLmodel").read_text()
    assert "base_path: models/toy" in description
    assert "system_prompt: Be kind." in description


def test_repeating_the_step_makes_no_second_version(
    promoted: GateDecision, tmp_path: Path, context: RunContext, capsys
):
    """A retried step finds the version of its run; the next run's version replaces it."""
    first = run(tmp_path, context)
    assert run(tmp_path, context) == first
    assert "was already registered as toy version 1" in capsys.readouterr().out
    second = run(tmp_path, context._replace(pipeline_run="run-2"))
    assert (second.version, second.replaces) == ("2", "1")
    assert "registered as toy version 2, champion now; version 1 is previous" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
def test_a_changed_file_is_refused(promoted: GateDecision, tmp_path: Path, context: RunContext, name: str):
    """One byte changed after evaluation, and nothing is registered."""
    with (tmp_path / "adapter" / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(IntegrityError, match="they were changed after evaluation; nothing was registered"):
        run(tmp_path, context)
    assert versions(context) == []


def test_another_manifest_is_refused(promoted: GateDecision, tmp_path: Path, context: RunContext, build):
    """The provenance that is registered is the one that the gate saw."""
    build.manifest(promoted.adapter_digest, base_digest="sha256:0ther").save(tmp_path / "adapter" / "manifest.json")
    with pytest.raises(IntegrityError, match="manifest is not the one that the decision is about"):
        run(tmp_path, context)
    assert versions(context) == []


@pytest.fixture
def reviewed(promoted: GateDecision, tmp_path: Path, build):
    """Leaves a decision that asks for a review, and a review, with some fields exchanged."""

    def write(decision_changes: dict | None = None, **changes: object) -> Review:
        decision = build.gate_decision(
            **{
                "decision": "needs_review",
                "adapter_digest": promoted.adapter_digest,
                "inputs": promoted.inputs,
                "queue_sha256": "sha256:04",
                **(decision_changes or {}),
            }
        )
        decision.save(tmp_path / "decision" / "gate_decision.json")
        fields = {
            "outcome": "approved",
            "reviewer": "Ada",
            "reason": "They are harmless.",
            "reviewed_at": datetime(2026, 1, 2, tzinfo=UTC),
            "decision_digest": decision.digest,
            "adapter_digest": decision.adapter_digest,
            "queue_sha256": "sha256:04",
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
    registration = run(tmp_path, context)
    assert registration.inputs["review"] == review.digest
    (version,) = versions(context)
    assert version.tags["plimsoll.decision"] == "needs_review"
    assert version.tags["plimsoll.reviewer"] == "Ada"
    assert version.tags["plimsoll.review_reason"] == "They are harmless."
    assert version.tags["plimsoll.review_digest"] == review.digest
    assert version.description.startswith("approved by Ada on 2026-01-02 00:00 UTC")
    (entry,) = open_log(context.tracking.audit_log).entries()
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
        run(tmp_path, context)
    assert versions(context) == []


def test_a_review_makes_up_for_no_missing_evidence(reviewed, tmp_path: Path, context: RunContext, build):
    """Where another category has too few prompts, an approval registers nothing."""
    asks, short_of = (build.gate_decision(word).reasons[0] for word in ("needs_review", "insufficient_evidence"))
    reviewed({"reasons": (asks, short_of.model_copy(update={"category": "indirect"}))})
    with pytest.raises(IntegrityError, match=r"not enough evidence about indirect.*nothing was registered"):
        run(tmp_path, context)
    assert versions(context) == []


@pytest.mark.parametrize("word", ["reject", "insufficient_evidence", "invalid"])
def test_a_review_overrules_no_other_decision(reviewed, tmp_path: Path, context: RunContext, word: str):
    """Only needs_review can be approved."""
    reviewed({"decision": word})
    with pytest.raises(IntegrityError, match=f"the decision is '{word}', expected 'promote'"):
        run(tmp_path, context)
    assert versions(context) == []


def test_a_changed_adapter_is_refused_in_spite_of_a_review(reviewed, tmp_path: Path, context: RunContext):
    """The files are re-hashed after a review too."""
    reviewed()
    with (tmp_path / "adapter" / "adapter_model.safetensors").open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(IntegrityError, match="they were changed after evaluation; nothing was registered"):
        run(tmp_path, context)
    assert versions(context) == []


@pytest.mark.parametrize("word", ["reject", "needs_review", "insufficient_evidence", "invalid"])
def test_any_other_decision_is_refused(promoted: GateDecision, tmp_path: Path, context: RunContext, build, word: str):
    """Only promote promotes, even where the graph took the wrong branch."""
    other = build.gate_decision(word, adapter_digest=promoted.adapter_digest, inputs=promoted.inputs)
    other.save(tmp_path / "decision" / "gate_decision.json")
    with pytest.raises(IntegrityError, match=f"the decision is '{word}', expected 'promote'; nothing was registered"):
        run(tmp_path, context)
    assert versions(context) == []


def test_a_registration_is_audited(promoted: GateDecision, tmp_path: Path, context: RunContext):
    """The log names model, version and decision; a repeated step says that it was one."""
    run(tmp_path, context)
    run(tmp_path, context)
    first, again = open_log(context.tracking.audit_log).entries()
    assert (first.event, again.event) == ("registered", "registered")
    assert first.facts == {
        "model_name": "toy",
        "version": "1",
        "replaces": "none",
        "adapter_digest": promoted.adapter_digest,
        "decision_digest": promoted.digest,
    }
    assert (first.why, again.why) == (promoted.summary, f"Repeated by the same run: {promoted.summary}")


def test_nothing_is_registered_where_the_log_cannot_be_written(
    promoted: GateDecision, tmp_path: Path, context: RunContext
):
    """An adapter is not promoted unaudited."""
    (tmp_path / "file").write_text("x")
    tracking = context.tracking.model_copy(update={"audit_log": str(tmp_path / "file" / "log")})
    with pytest.raises(StorageError, match="no step goes on without its entry"):
        run(tmp_path, context._replace(tracking=tracking))
    assert versions(context) == []
