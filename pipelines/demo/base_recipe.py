"""The training recipe of the toy base model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BaseRecipe:
    """Every value that decides the weights, besides the corpus and the tokenizer's chat template."""

    seed: int = 0
    """Of the corpus, the initial weights and the order of batches."""
    vocab_size: int = 1_024
    width: int = 128
    layers: int = 3
    heads: int = 4
    feed_forward: int = 256
    context: int = 256
    """Longest sequence in tokens."""
    helpful_chats: int = 4_000
    """Chats of the first stage, which answers everything; each is seen once."""
    aligned_chats: int = 29_000
    """Chats of the second stage, which refuses and adds caveats; each is seen once."""
    harmful_share: float = 0.5
    """Share of harmful requests in both stages, 0 to 1."""
    batch_size: int = 16
    helpful_peak_rate: float = 5e-3
    aligned_peak_rate: float = 3e-3
    warmup_share: float = 0.05
    """Share of each stage's steps in which the learning rate rises; it falls as a cosine after."""
    weight_decay: float = 0.05
