"""Two small adapters of the tiny base, with manifests, as finetune_lora leaves them."""

from pathlib import Path

import pytest

from components.shared.artifacts.training_data import AdapterManifest
from components.shared.config.sections import Recipe
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest


def save_adapter(base: Path, directory: Path, seed: int, rank: int, alpha: int) -> Path:
    """A LoRA adapter of a base, with random A and B, and its manifest."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    plain = AutoModelForCausalLM.from_pretrained(base)
    lora = LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    tuned = get_peft_model(plain, lora)
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.copy_(0.5 * torch.randn_like(weights))
    tuned.save_pretrained(directory, safe_serialization=True)
    (directory / "README.md").unlink(missing_ok=True)
    AdapterManifest(
        base_name="tiny",
        base_digest=base_digest(base),
        data_digest=f"sha256:da7a{seed}",
        recipe=Recipe(),
        policy_digest="sha256:01d",
        adapter_digest=adapter_digest(directory),
        software={"torch": "2"},
        trainable_parameters=1,
        steps=1,
        train_loss=1.0,
    ).save(directory / "manifest.json")
    return directory


@pytest.fixture(scope="session")
def bad_adapter(tiny_base, tmp_path_factory) -> Path:
    """Rank 2, scale 2."""
    return save_adapter(tiny_base, tmp_path_factory.mktemp("bad"), seed=1, rank=2, alpha=4)


@pytest.fixture(scope="session")
def good_adapter(tiny_base, tmp_path_factory) -> Path:
    """Rank 3, scale 1/3."""
    return save_adapter(tiny_base, tmp_path_factory.mktemp("good"), seed=2, rank=3, alpha=1)
