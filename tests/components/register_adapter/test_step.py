"""What the gate promoted becomes one version, champion, and audited; killed at any moment, too."""

from pathlib import Path
from typing import Any

import pytest

from components.register_adapter import step
from components.shared.artifacts.decision import GateDecision, Registration
from components.shared.audit import open_log, standing, unfinished, verify
from components.shared.config.run_context import RunContext
from components.shared.errors import StorageError
from components.shared.tracking.registry import champion_version
from components.shared.tracking.runs import Tracker
from tests.components.register_adapter.conftest import aliases, next_run, run, versions


class Killed(BaseException):
    """The process is gone."""


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
