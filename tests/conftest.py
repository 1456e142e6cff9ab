"""Fixtures that every test may use."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
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


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def plimsoll():
    """Runs the command line in a process of its own, as a person would."""

    def run(*arguments: str, cwd: Path, timeout: float = 280) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipelines", *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long groups first, so that they do not begin when the other worker has already run out of work."""
    order = {"world": 0, "launch": 1}

    def rank(item: pytest.Item) -> int:
        group = item.get_closest_marker("xdist_group")
        return order.get(group.args[0], 2) if group is not None else 2

    items.sort(key=rank)
