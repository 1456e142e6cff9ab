"""A model's sizes are read from its headers."""

import pytest

from components.shared.config.base_model import BaseModelRef
from components.shared.errors import ConfigError
from pipelines.starting.memory_needs import lora_parameters
from pipelines.starting.model_shapes import shape_from, shape_of

SIZES = {"num_attention_heads": 4, "hidden_size": 8, "num_hidden_layers": 2, "vocab_size": 10}


def test_the_sizes_are_those_that_transformers_and_peft_see(tiny_base):
    """Parameters, and LoRA's on every linear layer, are counted without loading a weight."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from components.shared.config.sections import Recipe

    shape = shape_of(BaseModelRef(path=str(tiny_base)))
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    assert shape.parameters == sum(weight.numel() for weight in model.parameters())
    assert (shape.layers, shape.hidden, shape.vocabulary, shape.kv_width) == (2, 16, model.config.vocab_size, 16)
    tuned = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    trained = sum(weight.numel() for weight in tuned.parameters() if weight.requires_grad)
    assert lora_parameters(shape.linears, Recipe(lora_rank=4)) == trained


def test_a_model_with_a_vision_tower_is_read_by_its_text_part():
    """Its language model has the sizes, and LoRA goes there only."""
    tensors = {
        "language_model.layers.0.q_proj.weight": (8, 8),
        "vision_tower.layers.0.q_proj.weight": (8, 8),
        "language_model.embed_tokens.weight": (10, 8),
        "language_model.norm.weight": (8,),
    }
    shape = shape_from({"text_config": {**SIZES, "num_key_value_heads": 2, "head_dim": 3}}, tensors)
    assert (shape.parameters, shape.kv_width) == (64 + 64 + 80 + 8, 6)
    assert [(each.name, each.inputs, each.outputs) for each in shape.linears] == [("q_proj", 8, 8)]


def test_a_config_without_sizes_is_an_error():
    """The missing key is named."""
    with pytest.raises(ConfigError, match="does not name 'vocab_size'"):
        shape_from({name: size for name, size in SIZES.items() if name != "vocab_size"}, {})


def test_a_hub_model_that_nobody_gives_is_an_error(monkeypatch, tmp_path):
    """Neither the cache nor the hub has it."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConfigError, match="is not on this machine, and the hub does not say"):
        shape_of(BaseModelRef(hub_id="org/m", revision="0" * 40))
