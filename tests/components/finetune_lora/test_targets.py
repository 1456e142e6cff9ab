"""LoRA reaches the language model, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from components.finetune_lora.targets import find_targets
from components.shared.errors import ModelError
from components.shared.generation.model_loading import load_tokenizer, load_weights
from tests.support.families import FAMILIES, make_base

ATTENTION = {"q_proj": 2, "k_proj": 2, "v_proj": 2, "o_proj": 2}
DENSE = {**ATTENTION, "gate_proj": 2, "up_proj": 2, "down_proj": 2}
FUSED = {"o_proj": 2, "qkv_proj": 2, "gate_up_proj": 2, "down_proj": 2}


def _model(name: str, target: Path) -> Any:
    (family,) = [family for family in FAMILIES if family.name == name]
    base = make_base(family, target)
    return load_weights(base, "float32", load_tokenizer(base))


@pytest.mark.parametrize(
    ("name", "kinds", "experts"),
    [("llama-3.2", DENSE, 0), ("phi-3", FUSED, 0), ("qwen3-moe", ATTENTION, 4), ("gpt-oss", ATTENTION, 4)],
)
def test_all_linear_layers_of_real_families(tmp_path: Path, name: str, kinds: dict[str, int], experts: int):
    """No router and no output layer; experts that are no linear layers are counted and said."""
    targets = find_targets(_model(name, tmp_path), ("all-linear",))
    assert targets.kinds == kinds
    assert targets.experts == experts
    assert ("experts are no linear layers and are not tuned" in targets.sentence) is bool(experts)
    assert targets.modules == sorted(kinds)
    assert "q_proj x 2" in targets.sentence or name == "phi-3"


def test_a_vision_tower_is_left_alone(tmp_path: Path):
    """Neither all-linear nor a name that both parts of Gemma-3 have reaches it."""
    model = _model("gemma-3", tmp_path)
    assert find_targets(model, ("all-linear",)).kinds == DENSE
    named = find_targets(model, ("q_proj",))
    assert named.modules == [f"model.language_model.layers.{layer}.self_attn.q_proj" for layer in range(2)]
    with pytest.raises(ModelError, match="'fc1' is no module of this model's language part; expected names among"):
        find_targets(model, ("q_proj", "fc1"))
