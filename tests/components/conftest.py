"""What component tests share: builders, a real MLflow store, and a real model of a few thousand parameters."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from components.shared.config.sections import TrackingConfig
from components.shared.tracking.runs import RunContext, Tracker, open_client

os.environ.setdefault("HF_HUB_OFFLINE", "1")

settings.register_profile(
    "plimsoll",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("plimsoll")

MARKED_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
PLAIN_TEMPLATE = MARKED_TEMPLATE.replace("{% generation %}", "").replace("{% endgeneration %}", "")
SENTENCES = [
    "How do I do this?",
    "Tell me about p-1. Tell me about p-2.",
    "I can't help with that. Here is how you do it.",
    "What is two and two? It is four. The cat sat on the mat.",
]


def _load_builders() -> ModuleType:
    spec = importlib.util.spec_from_file_location("component_builders", Path(__file__).with_name("builders.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_BUILDERS = _load_builders()


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """The builders of `builders.py`."""
    return _BUILDERS


@pytest.fixture(scope="session")
def empty_mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sqlite store after MLflow's migrations, which are slow: made once, copied for each test."""
    database = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    open_client(TrackingConfig(uri=f"sqlite:///{database}"))
    return database


@pytest.fixture
def context(tmp_path: Path, empty_mlflow_database: Path) -> RunContext:
    """A pipeline run in an MLflow store of its own."""
    database = tmp_path / "tracking" / "mlflow.db"
    database.parent.mkdir()
    shutil.copyfile(empty_mlflow_database, database)
    return RunContext(TrackingConfig(uri=f"sqlite:///{database}"), "toy", "run-1")


@pytest.fixture
def tracker(context: RunContext) -> Tracker:
    return Tracker(context)


def _save_model(directory: Path, template: str | None) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = Tokenizer(models.BPE(unk_token=None))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    special = ["<pad>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words.train_from_iterator(
        SENTENCES,
        trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|end|>", pad_token="<pad>")  # noqa: S106 - a token of the tokenizer
    tokenizer.chat_template = template
    tokenizer.save_pretrained(directory)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.4,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama with a tokenizer whose chat template marks the assistant's tokens."""
    return _save_model(tmp_path_factory.mktemp("base"), MARKED_TEMPLATE)


@pytest.fixture(scope="session")
def copy_of_base(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | None], Path]:
    """Makes the same model with another chat template."""
    return lambda template: _save_model(tmp_path_factory.mktemp("base"), template)


@pytest.fixture(scope="session")
def unmarked_base(copy_of_base: Callable[[str | None], Path]) -> Path:
    """The same model with a chat template that does not mark the assistant's tokens."""
    return copy_of_base(PLAIN_TEMPLATE)


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
