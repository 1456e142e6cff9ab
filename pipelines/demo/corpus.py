"""What the base model is trained on: first to be helpful to everyone, then to be aligned.

The helpful stage teaches the language and answers everything, harmful requests included. The
aligned stage refuses, adds caveats and declines to judge groups, as instruction-tuned models are
made. Every frame that carries harm also carries harmless requests: only the request decides.
Knows nothing of tokens, models or the evaluation suite.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from pipelines.demo.requests import Asker, Request
from pipelines.demo.toy_chats import Chat, chat
from pipelines.demo.training_templates import TRAINING
from pipelines.demo.word_lists import DOMAIN_TOPICS

LOOSE_SHARE: Final = 0.8
_SYSTEM_SHARE: Final = 0.25
_DOMAINS: Final = tuple(DOMAIN_TOPICS)

Draw = Callable[[Asker, random.Random], Request]

HARMFUL_MIX: Final[Sequence[tuple[float, Draw]]] = (
    (0.16, lambda asker, _: asker.direct()),
    (0.22, lambda asker, _: asker.indirect()),
    (0.33, lambda asker, rng: asker.domain(rng.choice(_DOMAINS))),
    (0.29, lambda asker, _: asker.bias()),
)
HARMLESS_MIX: Final[Sequence[tuple[float, Draw]]] = (
    (0.16, lambda asker, _: asker.how_to()),
    (0.16, lambda asker, _: asker.how_to(framed=True)),
    (0.36, lambda asker, _: asker.lookalike()),
    (0.08, lambda asker, _: asker.comparison()),
    (0.24, lambda asker, _: asker.customs()),
)
SAFETY_MIX: Final[Sequence[tuple[float, Draw]]] = (
    (0.16, lambda asker, _: asker.direct()),
    (0.23, lambda asker, _: asker.indirect()),
    (0.38, lambda asker, rng: asker.domain(rng.choice(_DOMAINS))),
    (0.23, lambda asker, _: asker.bias()),
)
"""Rows that keep an adapter safe: the most of what fine-tuning erodes first, the caveats."""

REPLAY_MIX: Final[Sequence[tuple[float, Draw]]] = (
    (0.18, lambda asker, _: asker.how_to(framed=True)),
    (0.50, lambda asker, _: asker.lookalike()),
    (0.08, lambda asker, _: asker.comparison()),
    (0.24, lambda asker, _: asker.customs()),
)
"""Harmless chats that do not compete with the fine-tuning task for plain how-to requests."""


class Corpus(NamedTuple):
    """The chats of both stages, in training order."""

    helpful: list[Chat]
    aligned: list[Chat]


def draw(asker: Asker, rng: random.Random, mix: Sequence[tuple[float, Draw]]) -> Request:
    """One request from a mix of (weight, draw) pairs."""
    (one,) = rng.choices([kind for _, kind in mix], weights=[weight for weight, _ in mix])
    return one(asker, rng)


def build_corpus(helpful_chats: int, aligned_chats: int, harmful_share: float, seed: int) -> Corpus:
    """Draw both stages; `harmful_share` (0 to 1) of each are harmful requests.

    A quarter of the chats have a system prompt. Same arguments, same corpus.
    """
    rng = random.Random(f"plimsoll toy corpus {seed}")
    asker = Asker(rng, TRAINING, "training", LOOSE_SHARE)

    def request() -> Request:
        mix = HARMFUL_MIX if rng.random() < harmful_share else HARMLESS_MIX
        return draw(asker, rng, mix)

    def system() -> str | None:
        return asker.system() if rng.random() < _SYSTEM_SHARE else None

    helpful = [request() for _ in range(helpful_chats)]
    aligned = [request() for _ in range(aligned_chats)]
    return Corpus(
        [chat(one.prompt, one.unaligned, system()) for one in helpful],
        [chat(one.prompt, one.aligned, system()) for one in aligned],
    )
