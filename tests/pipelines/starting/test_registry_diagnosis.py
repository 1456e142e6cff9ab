"""What a killed registration left is named, with the cure; a sound registry is one line."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from components.shared.audit import open_log
from components.shared.config.sections import PipelineConfig, TrackingConfig
from components.shared.tracking.registry import RUN_TAG
from components.shared.tracking.runs import open_client
from pipelines.starting.registry_diagnosis import registry_symptoms


class Registry:
    """A registered model with versions, and a log, each as a test wants it."""

    def __init__(self, folder: Path) -> None:
        self.tracking = TrackingConfig(uri=f"sqlite:///{folder}/mlflow.db", audit_log=str(folder / "audit.jsonl"))
        self.client = open_client(self.tracking)
        self.client.create_registered_model("toy")

    def version(self, run: str) -> None:
        self.client.create_model_version("toy", source="nowhere", tags={RUN_TAG: run})

    def entry(self, event: Any, run: str, **facts: str) -> None:
        log = open_log(self.tracking.audit_log)
        log.append(event, "A reason.", {"model_name": "toy", "adapter_digest": run, **facts}, "toy", run, "ada")

    def symptoms(self) -> list[tuple[str, str, str]]:
        fields = {
            "name": "toy",
            "base_model": {"path": "models/toy"},
            "data": {"train": "task.jsonl"},
            "suites": ("suite.yaml",),
            "policy": "policy.yaml",
            "registry": {"model_name": "toy"},
            "tracking": self.tracking.model_dump(),
        }
        found = registry_symptoms(PipelineConfig.model_validate(fields))
        return [(symptom.state, symptom.found, symptom.cure) for symptom in found]


@pytest.fixture
def registry(tmp_path: Path, empty_store: Path) -> Registry:
    shutil.copyfile(empty_store, tmp_path / "mlflow.db")
    return Registry(tmp_path)


def test_a_sound_registry_is_one_line(registry: Registry):
    """Nothing to say before the first version; then the champion, as in the log."""
    assert registry.symptoms() == []
    registry.version("run-1")
    registry.entry("registering", "run-1")
    registry.entry("registered", "run-1", version="1")
    registry.client.set_registered_model_alias("toy", "champion", "1")
    assert registry.symptoms() == [("ok", "toy: 1 version, champion 1, as in the audit log", "")]


def test_an_orphan_is_named(registry: Registry):
    """A version that was created and never registered, with its run and the way on."""
    registry.entry("registering", "run-1")
    registry.version("run-1")
    ((state, found, cure),) = registry.symptoms()
    assert state == "warning"
    assert found.startswith("toy version 1 is an orphan: run run-1 was stopped after it was created on 20")
    assert "run the pipeline again with the same config" in cure


def test_aliases_that_the_log_does_not_explain_are_named(registry: Registry):
    """An alias that was not set yet, one that was moved by hand, and a version that no log knows."""
    registry.version("run-1")
    registry.entry("registered", "run-1", version="1")
    assert "version none is champion, the audit log says 1" in registry.symptoms()[0][1]
    registry.version("by hand")
    registry.client.set_registered_model_alias("toy", "champion", "2")
    assert "toy version 2 is champion, and the audit log has no entry for it" in registry.symptoms()[0][1]


def test_a_changed_log_is_a_problem(registry: Registry):
    """The registry cannot be compared with it."""
    registry.entry("registered", "run-1", version="1")
    log = Path(registry.tracking.audit_log)
    log.write_text(log.read_text().replace("A reason.", "No reason."))
    ((state, found, cure),) = registry.symptoms()
    assert (state, "was edited" in found, "plimsoll audit verify" in cure) == ("problem", True, True)
