"""How the toy base model is made: the values that decide its weights.

Knows nothing of how training works or where the model is kept.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class BaseRecipe:
    """Everything that decides the base's weights, besides the corpus and the tokenizer's text."""

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

    def values(self) -> dict[str, int | float]:
        """The recipe as plain values, for hashing."""
        return asdict(self)


def micro_recipe(seed: int = 0) -> BaseRecipe:
    """A recipe of a few steps: the same files, a model that has learnt nothing."""
    return replace(
        BaseRecipe(seed=seed),
        vocab_size=400,
        width=32,
        layers=1,
        heads=2,
        feed_forward=64,
        helpful_chats=64,
        aligned_chats=64,
    )
