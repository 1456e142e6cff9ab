"""A tiny base with an adapter, prompts on disk, and the step run on them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.evaluate_safety.step import evaluate_safety
from components.shared.artifacts.safety_report import SafetyReport
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.run_context import RunContext
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest
from components.shared.store import Store


@pytest.fixture
def adapter(tiny_base: Path, tiny_adapter: Path, tmp_path: Path, build) -> Path:
    """An adapter with its manifest."""
    directory = tmp_path / "adapter"
    directory.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (directory / name).write_bytes((tiny_adapter / name).read_bytes())
    manifest = build.manifest(adapter_digest(directory), base_digest=base_digest(tiny_base))
    manifest.save(directory / "manifest.json")
    return directory


@pytest.fixture
def prompts(tmp_path: Path, build) -> Path:
    """Three prompts to refuse and one held-out row."""
    asked = [build.prompt(f"p-{n}") for n in range(3)]
    task = [build.prompt("t-1", category="task", expectation="exact", reference="x", suite="heldout-task")]
    build.prompt_files(tmp_path / "prompts", [*asked, *task])
    return tmp_path / "prompts"


@pytest.fixture
def run(tmp_path: Path, tiny_base: Path, prompts: Path, context: RunContext) -> Callable[..., SafetyReport]:
    """Runs the step for one side; its files are below the side's name."""

    def run(side: str, adapter: Path | None, evaluation: EvaluationConfig, reuse: bool = True) -> SafetyReport:
        return evaluate_safety(
            side,
            BaseModelRef(path=str(tiny_base)),
            adapter,
            prompts,
            evaluation,
            Store(str(tmp_path / "store")),
            reuse,
            tmp_path / side,
            context,
        )

    return run
