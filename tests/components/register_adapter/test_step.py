"""Only the adapter that was evaluated, under the decision that promotes it, gets a version."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from components.register_adapter import step
from components.register_adapter.step import register_adapter
from components.shared.artifacts.decision import GateDecision, Registration
from components.shared.artifacts.human_review import Review
from components.shared.audit import open_log, record, standing, unfinished, verify
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.run_context import RunContext
from components.shared.config.sections import RegistryConfig
from components.shared.digests import digest_json
from components.shared.errors import IntegrityError, StorageError
from components.shared.tracking.registry import champion_version
from components.shared.tracking.runs import Tracker
from tests.support.builders import World


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def world(tmp_path: Path, build, context: RunContext) -> World:
    """A run that the gate promoted."""
    world = build.world(tmp_path)
    assert world.check_gate(context).decision.value == "promote"
    return world


@pytest.fixture
def promoted(world: World) -> GateDecision:
    return GateDecision.load(world.path("decision") / "gate_decision.json")


def run(directory: Path, context: RunContext, adapter: str = "passed", model_name: str = "toy") -> Registration:
    return register_adapter(
        directory / adapter,
        directory / "decision",
        BaseModelRef(path="models/toy"),
        EvaluationConfig(system_prompt="Be kind."),
        RegistryConfig(model_name=model_name),
        directory / "out",
        context,
    )


def next_run(directory: Path, build, context: RunContext, number: int, **world: Any) -> RunContext:
    """Another run, decided in a folder of its own; by default with another adapter."""
    of_it = context._replace(pipeline_run=f"run-{number}")
    build.world(directory, **{"weights": f"weights {number}".encode(), **world}).check_gate(of_it)
    return of_it


def versions(context: RunContext) -> list:
    return list(Tracker(context).client.search_model_versions("name = 'toy'"))


def aliases(context: RunContext) -> dict[str, str]:
    found = Tracker(context).client.get_registered_model("toy").aliases
    return {name: str(version) for name, version in found.items()}


def events(context: RunContext) -> list[str]:
    """What the log has about registering; it is sound."""
    log = open_log(context.tracking.audit_log)
    assert verify(log) == []
    return [entry.event for entry in log.entries() if entry.event in {"registering", "registered"}]


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
    assert weights.read_bytes() == (tmp_path / "passed" / "adapter_model.safetensors").read_bytes()
    assert sorted(path.name for path in weights.parent.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "manifest.json",
    ]
    description = (local / "MLmodel").read_text()
    assert "base_path: models/toy" in description
    assert "system_prompt: Be kind." in description


def test_repeating_the_step_makes_no_second_version(world, tmp_path: Path, build, context: RunContext, capsys):
    """A retried step finds the version of its run and writes no second entry; the next run's version replaces it."""
    first = run(tmp_path, context)
    assert run(tmp_path, context) == first
    assert "was already registered as toy version 1" in capsys.readouterr().out
    assert events(context) == ["registering", "registered"]
    second = run(tmp_path / "second", next_run(tmp_path / "second", build, context, 2))
    assert (second.version, second.replaces) == ("2", "1")
    assert "registered as toy version 2, champion now; version 1 is previous" in capsys.readouterr().out
    assert run(tmp_path, context) == first
    assert aliases(context) == {"champion": "2", "previous": "1"}


def test_the_same_adapter_is_registered_once(world, tmp_path: Path, build, context: RunContext, capsys):
    """A second run that comes to the same adapter under the same policy says which version it is, and audits it."""
    run(tmp_path, context)
    again = next_run(tmp_path / "again", build, context, 2, weights=b"weights")
    assert run(tmp_path / "again", again).version == "1"
    assert "toy version 1 by run run-1, the same adapter under the same rules" in capsys.readouterr().out
    assert (len(versions(context)), aliases(context)) == (1, {"champion": "1"})
    assert events(context) == 2 * ["registering", "registered"]
    assert Tracker(again).parent().read_tags()["plimsoll.registered_version"] == "1"


@pytest.mark.parametrize(
    ("moment", "anew"),
    [
        *((moment, True) for moment in ("before record", "after record", "before follow", "after _publish")),
        *((moment, False) for moment in ("after ensure_version", "before follow", "after follow")),
        ("after ensure_version", True),
    ],
)
def test_a_kill_at_any_moment_leaves_one_version_and_a_whole_log(
    world, tmp_path: Path, build, context: RunContext, monkeypatch: pytest.MonkeyPatch, moment: str, anew: bool
):
    """Whether step or pipeline is run again: one version, champion, an entry for it, nothing unfinished."""
    run(tmp_path / "first", next_run(tmp_path / "first", build, context, 0))
    when, name = moment.split()
    original = getattr(step, name)

    def killed(*arguments: Any) -> Any:
        if when == "after":
            original(*arguments)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(step, name, killed)
        with pytest.raises(Killed):
            run(tmp_path, context)
    again, folder = context, tmp_path
    if anew:
        folder = tmp_path / "again"
        again = next_run(folder, build, context, 2, weights=b"weights")
    assert run(folder, again).version == "2"
    assert (len(versions(context)), aliases(context)) == (2, {"champion": "2", "previous": "1"})
    log = open_log(context.tracking.audit_log)
    assert unfinished(log.entries(), "toy") == []
    assert standing(log.entries(), "toy")[:2] == ("2", "1")
    assert verify(log) == []


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


def test_a_registration_is_audited(promoted: GateDecision, tmp_path: Path, context: RunContext):
    """The log names model, version and decision, before anything is done and after it."""
    run(tmp_path, context)
    before, after = list(open_log(context.tracking.audit_log).entries())[-2:]
    assert (before.event, after.event) == ("registering", "registered")
    digests = {"adapter_digest": promoted.adapter_digest, "decision_digest": promoted.digest}
    assert before.facts == {"model_name": "toy", **digests}
    assert after.facts == {"model_name": "toy", "version": "1", "replaces": "none", **digests}
    assert before.why == after.why == promoted.summary


def test_nothing_is_registered_where_the_log_cannot_be_written(
    promoted: GateDecision, tmp_path: Path, context: RunContext
):
    """An adapter is not promoted unaudited."""
    (tmp_path / "file").write_text("x")
    tracking = context.tracking.model_copy(update={"audit_log": str(tmp_path / "file" / "log")})
    with pytest.raises(StorageError, match="no step goes on without its entry"):
        run(tmp_path, context._replace(tracking=tracking))
    assert versions(context) == []
