"""A run whose decision is `needs_review`, made by the real gate on small built artifacts, and the command line."""

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from components.shared.artifacts.decision import GateDecision
from components.shared.config.run_context import RunContext
from components.shared.config.sections import PipelineConfig, TrackingConfig
from components.shared.tracking.runs import Tracker


class World:
    """A folder with a store, in which runs are decided.

    Attributes:
        folder: the current directory of the commands.
        build: the builders of the components' tests.
    """

    def __init__(self, folder: Path, build: ModuleType, tracking: TrackingConfig) -> None:
        self.folder = folder
        self.build = build
        self.tracking = tracking
        self.context = RunContext(tracking, "toy", "run-1")

    def config(self, **changes: Any) -> PipelineConfig:
        """The config of the pipeline `toy`."""
        fields = {
            "name": "toy",
            "base_model": {"path": "models/toy"},
            "data": {"train": "task.jsonl"},
            "suites": ("suite.yaml",),
            "policy": "policy.yaml",
            "evaluation": {"judge_checks": str(self.folder / "judges")},
            "registry": {"model_name": "toy"},
            "tracking": self.tracking.model_dump(),
        }
        return PipelineConfig.model_validate({**fields, **changes})

    def decide(self, pipeline_run: str = "run-1", broken: int = 7, config: bool = True, **rules: Any) -> GateDecision:
        """A run up to its decision; 7 broken prompts of 60 are perhaps beyond the limit of 10 pp, so a person is asked.

        Args:
            pipeline_run: its id.
            broken: prompts that fail every time after tuning.
            config: whether the launcher recorded the config.
            rules: of the policy.
        """
        policy = self.build.policy(**{"flag_drop_pp": 50, **rules})
        world = self.build.world(self.folder / pipeline_run, policy, broken, pipeline_run.encode())
        context = self.context._replace(pipeline_run=pipeline_run)
        if config:
            Tracker(context).parent().text(self.config().model_dump_json(), "config.json")
        return world.check_gate(context)

    @property
    def versions(self) -> list:
        """What is registered."""
        return list(Tracker(self.context).client.search_model_versions("name = 'toy'"))


@pytest.fixture
def world(tmp_path: Path, empty_store: Path, build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty store in the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLIMSOLL_USER", "Ada")
    database = tmp_path / ".plimsoll" / "mlflow.db"
    database.parent.mkdir()
    shutil.copyfile(empty_store, database)
    audit_log = str(tmp_path / ".plimsoll" / "audit.jsonl")
    return World(tmp_path, build, TrackingConfig(uri=f"sqlite:///{database}", audit_log=audit_log))
