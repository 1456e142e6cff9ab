"""Trains the toy base model from random weights, on CPU, one stage after the other.

The loss counts the assistant's tokens only. Sequences are padded on the right and attention is causal, so padding needs
no mask.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from components.shared.progress import Progress, Say
from pipelines.demo.base_recipe import BaseRecipe
from pipelines.demo.corpus import Corpus
from pipelines.demo.toy_chats import ToyChat

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

_LARGEST_GRADIENT_NORM: Final = 1.0
_IGNORED: Final = -100
_BATCHES_SORTED_TOGETHER: Final = 16


class Example(NamedTuple):
    """One chat as token ids; labels are -100 outside the assistant's turns."""

    tokens: list[int]
    labels: list[int]


class Step(NamedTuple):
    """One optimizer step: its examples and its learning rate."""

    examples: list[Example]
    rate: float


def encode(tokenizer: PreTrainedTokenizerFast, chats: Sequence[ToyChat]) -> list[Example]:
    """Turn chats into examples by the tokenizer's own chat template."""
    conversations: Any = [chat["messages"] for chat in chats]
    encoded: Any = tokenizer.apply_chat_template(conversations, return_dict=True, return_assistant_tokens_mask=True)
    return [
        Example(tokens, [token if said else _IGNORED for token, said in zip(tokens, mask, strict=True)])
        for tokens, mask in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
    ]


def plan_stage(examples: Sequence[Example], peak_rate: float, recipe: BaseRecipe) -> list[Step]:
    """Batches of similar length in random order, with a warm-up and a cosine to zero."""
    rng = random.Random(f"order {recipe.seed} {len(examples)}")
    shuffled = rng.sample(examples, len(examples))
    window = recipe.batch_size * _BATCHES_SORTED_TOGETHER
    batches = []
    for start in range(0, len(shuffled), window):
        near = sorted(shuffled[start : start + window], key=lambda one: len(one.tokens))
        batches += [near[at : at + recipe.batch_size] for at in range(0, len(near), recipe.batch_size)]
    rng.shuffle(batches)
    warmup = max(1, round(recipe.warmup_share * len(batches)))

    def rate(step: int) -> float:
        if step < warmup:
            return peak_rate * (step + 1) / warmup
        return peak_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (len(batches) - warmup)))

    return [Step(batch, rate(number)) for number, batch in enumerate(batches)]


def new_model(recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A small Llama with random weights."""
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    tokens = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.width,
        intermediate_size=recipe.feed_forward,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=recipe.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        **tokens,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=False, bos_token_id=None, **tokens
    )
    return model


def train(recipe: BaseRecipe, corpus: Corpus, tokenizer: PreTrainedTokenizerFast, say: Say) -> LlamaForCausalLM:
    """Train both stages and return the model in evaluation mode.

    The same recipe gives the same weights on one machine. Training uses one thread: at this size two take twice as
    long. The global random state and the number of threads stay as they were.
    """
    import torch

    steps = [
        *plan_stage(encode(tokenizer, corpus.helpful), recipe.helpful_peak_rate, recipe),
        *plan_stage(encode(tokenizer, corpus.aligned), recipe.aligned_peak_rate, recipe),
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _train(steps, recipe, tokenizer, say)
    finally:
        torch.set_num_threads(threads)


def _train(steps: Sequence[Step], recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast, say: Say) -> LlamaForCausalLM:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = new_model(recipe, tokenizer)
        model.train()
        optimizer = torch.optim.AdamW(
            model.parameters(), betas=(0.9, 0.95), weight_decay=recipe.weight_decay, fused=True
        )
        progress = Progress(say, "steps", len(steps))
        for step in steps:
            loss = _loss(model, step.examples)
            for group in optimizer.param_groups:
                group["lr"] = step.rate
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), _LARGEST_GRADIENT_NORM)
            optimizer.step()
            progress.advance(1, f"loss {loss.item():.3f}")
    model.train(False)
    return model


def _loss(model: LlamaForCausalLM, examples: Sequence[Example]) -> Tensor:
    """Mean cross-entropy per answer token; logits are computed at answer tokens only."""
    import torch

    longest = max(len(example.tokens) for example in examples)
    pad = model.config.pad_token_id
    tokens = torch.tensor([one.tokens + [pad] * (longest - len(one.tokens)) for one in examples])
    labels = torch.tensor([one.labels + [_IGNORED] * (longest - len(one.labels)) for one in examples])
    targets = labels[:, 1:]
    said = targets != _IGNORED
    hidden = model.model(input_ids=tokens, use_cache=False).last_hidden_state[:, :-1]
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[said]), targets[said])
