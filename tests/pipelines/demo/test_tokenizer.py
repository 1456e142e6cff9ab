"""The toy tokenizer's chat template says which tokens are the assistant's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.demo.tokenizer import CHAT_TEMPLATE, END, train_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

pytest.importorskip("transformers")

CHAT = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "How do I clean the lamp?"},
    {"role": "assistant", "content": "To clean it, wipe it."},
]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of few merges."""
    return train_tokenizer([turn["content"] for turn in CHAT] * 20, vocab_size=300)


def test_content_and_end_token_are_the_assistants(tokenizer: PreTrainedTokenizerFast) -> None:
    """The mask covers what the assistant says and the end token, and nothing else."""
    encoded = tokenizer.apply_chat_template(CHAT, return_dict=True, return_assistant_tokens_mask=True)
    pairs = zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
    said = tokenizer.decode([token for token, mine in pairs if mine])
    assert f"{CHAT[-1]['content']}{END}" == said


def test_a_generation_prompt_is_how_an_answer_starts(tokenizer: PreTrainedTokenizerFast) -> None:
    """The prompt for generation is a prefix of the whole chat, token by token."""
    prompt = tokenizer.apply_chat_template(CHAT[:-1], add_generation_prompt=True)["input_ids"]
    whole = tokenizer.apply_chat_template(CHAT)["input_ids"]
    assert prompt == whole[: len(prompt)]


def test_any_text_survives(tokenizer: PreTrainedTokenizerFast) -> None:
    """Bytes are the alphabet: no text is unknown, and decoding gives it back."""
    text = "naïve — 漢字 \t two  spaces"
    assert text == tokenizer.decode(tokenizer(text)["input_ids"])


def test_an_unknown_role_is_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    """A role the model never saw is an error, not a silent token."""
    with pytest.raises(Exception, match="unknown role tool"):
        tokenizer.apply_chat_template([{"role": "tool", "content": "x"}], tokenize=False)


def test_markers_are_in_the_template() -> None:
    """The trainer finds the markers that `assistant_only_loss` needs."""
    assert "generation -%}" in CHAT_TEMPLATE
    assert "endgeneration -%}" in CHAT_TEMPLATE
