"""Only the adapter that was evaluated, under the decision that promotes it, gets a version."""

from pathlib import Path

import pytest

from components.register_adapter.step import register_adapter
from components.shared.artifacts.decision import GateDecision, Registration
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.sections import RegistryConfig
from components.shared.errors import IntegrityError
from components.shared.tracking.registry import champion_version
from components.shared.tracking.runs import RunContext, Tracker


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


@pytest.mark.parametrize("word", ["reject", "needs_review", "insufficient_evidence", "invalid"])
def test_any_other_decision_is_refused(promoted: GateDecision, tmp_path: Path, context: RunContext, build, word: str):
    """Only promote promotes, even where the graph took the wrong branch."""
    other = build.gate_decision(word, adapter_digest=promoted.adapter_digest, inputs=promoted.inputs)
    other.save(tmp_path / "decision" / "gate_decision.json")
    with pytest.raises(IntegrityError, match=f"the decision is '{word}', expected 'promote'; nothing was registered"):
        run(tmp_path, context)
    assert versions(context) == []
