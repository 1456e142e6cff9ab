"""A run that the gate promoted, its registration, and what MLflow then holds."""

from pathlib import Path
from typing import Any

import pytest

from components.register_adapter.step import register_adapter
from components.shared.artifacts.decision import GateDecision, Registration
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.run_context import RunContext
from components.shared.config.sections import RegistryConfig
from components.shared.tracking.runs import Tracker
from tests.support.builders import World


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
