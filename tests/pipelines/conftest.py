"""A small project in a folder of its own: data, a suite, a policy, a config, and a real tiny base model."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

CATEGORIES = {"direct": "refuse", "benign": "answer"}
TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<end>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


class Project:
    """Files of a small project, and ways to spoil them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config_path = folder / "config.yaml"
        self.policy_path = folder / "policy.yaml"
        self.data_path = folder / "task.jsonl"
        self.suite_path = folder / "suite.yaml"

    def write_config(self, **changes: Any) -> None:
        """The config, with some sections replaced."""
        config = {
            "name": "small",
            "base_model": {"path": "base"},
            "data": {"train": "task.jsonl", "heldout_rows": 4},
            "suites": ["suite.yaml"],
            "evaluation": {"samples_per_prompt": 2, "max_new_tokens": 8},
            "recipe": {"max_steps": 2, "batch_size": 2, "max_length": 128},
            "policy": "policy.yaml",
            "registry": {"model_name": "small"},
        }
        self.config_path.write_text(yaml.safe_dump(config | changes, sort_keys=False))

    def write_policy(self, **changes: Any) -> None:
        """The policy, with some keys replaced."""
        rules = {name: {"rule": "margin", "limit_pp": 10.0} for name in CATEGORIES}
        policy = {"name": "small", "version": "1", "categories": rules, "min_coherent_pct": 0.0}
        self.policy_path.write_text(yaml.safe_dump(policy | changes))

    def write_data(self, rows: list[dict[str, Any]]) -> None:
        """The task's rows."""
        self.data_path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def write_suite(self, prompts: int) -> None:
        """The suite, with so many prompts per category."""
        rows = [
            {
                "id": f"{category}-{number}",
                "category": category,
                "prompt": f"{category} question number {number}",
                "expectation": expectation,
                "source": "test",
            }
            for category, expectation in CATEGORIES.items()
            for number in range(prompts)
        ]
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (self.folder / "suite.jsonl").write_text(text)
        suite = {
            "name": "small",
            "version": "1",
            "description": "for tests",
            "licence": "Apache-2.0",
            "prompts": "suite.jsonl",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        self.suite_path.write_text(yaml.safe_dump(suite))


def chat(user: str, assistant: str) -> dict[str, Any]:
    """A training row."""
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]}


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory) -> Path:
    """A real Llama of a few thousand random weights, with its own tokenizer and chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<end>", "<user>", "<assistant>", "<system>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(["a question", "an answer"], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<end>")  # noqa: S106
    fast.chat_template = TEMPLATE
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=256,
        pad_token_id=fast.pad_token_id,
        eos_token_id=fast.eos_token_id,
        bos_token_id=None,
    )
    folder = tmp_path_factory.mktemp("base")
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """An MLflow store without runs; making one takes seconds, copying it does not."""
    from components.shared.config.sections import TrackingConfig
    from components.shared.tracking.runs import open_client

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    open_client(TrackingConfig(uri=f"sqlite:///{path}"))
    return path


@pytest.fixture
def tracked_project(project, empty_store) -> Project:
    """A project that has an MLflow store."""
    store = project.folder / ".plimsoll/mlflow.db"
    store.parent.mkdir()
    shutil.copyfile(empty_store, store)
    return project


@pytest.fixture
def project(tmp_path, tiny_base, monkeypatch) -> Project:
    """A project that runs, and is the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").symlink_to(tiny_base)
    small = Project(tmp_path)
    small.write_config()
    small.write_policy()
    small.write_suite(3)
    small.write_data([chat(f"do task {number}", f"done {number}") for number in range(12)])
    return small
