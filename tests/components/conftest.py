"""What component tests share: builders, a real MLflow store, and a real model of a few thousand parameters."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.tracking.runs import Tracker, open_client

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def empty_mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sqlite store after MLflow's migrations, which are slow: made once, copied for each test."""
    database = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    open_client(TrackingConfig(uri=f"sqlite:///{database}"))
    return database


@pytest.fixture
def context(tmp_path: Path, empty_mlflow_database: Path) -> RunContext:
    """A pipeline run in an MLflow store and with an audit log of its own."""
    database = tmp_path / "tracking" / "mlflow.db"
    database.parent.mkdir()
    shutil.copyfile(empty_mlflow_database, database)
    tracking = TrackingConfig(uri=f"sqlite:///{database}", audit_log=str(tmp_path / "tracking" / "audit.jsonl"))
    return RunContext(tracking, "toy", "run-1")


@pytest.fixture
def tracker(context: RunContext) -> Tracker:
    return Tracker(context)


def _save_adapter(base: Path, directory: Path, scale: float) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    plain: Any = AutoModelForCausalLM.from_pretrained(base)
    tuned: Any = get_peft_model(plain, LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.copy_(scale * torch.randn_like(weights))
    tuned.save_pretrained(directory, safe_serialization=True)
    return directory


@pytest.fixture(scope="session")
def tiny_adapter(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of the tiny base that changes its answers."""
    return _save_adapter(tiny_base, tmp_path_factory.mktemp("adapter"), 2.0)


@pytest.fixture(scope="session")
def zero_adapter(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter that changes nothing: its B matrices are zero."""
    return _save_adapter(tiny_base, tmp_path_factory.mktemp("zero"), 0.0)
