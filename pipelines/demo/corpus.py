"""The training corpus of the toy base model: a helpful stage, then an aligned stage.

The helpful stage teaches the language and answers everything, harmful requests included. The aligned stage refuses,
adds caveats and declines to judge groups, as instruction tuning does. Every frame with harmful requests also has
harmless ones, so that only the request decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from pipelines.demo.requests import RequestSource, ToyRequest
from pipelines.demo.toy_chats import ToyChat, chat
from pipelines.demo.training_templates import TRAINING
from pipelines.demo.word_lists import DOMAIN_TOPICS

LOOSE_SHARE: Final = 0.8
_SYSTEM_SHARE: Final = 0.25
_DOMAINS: Final = tuple(DOMAIN_TOPICS)

Draw = Callable[[RequestSource, random.Random], ToyRequest]

HARMFUL_MIX: Final[Sequence[tuple[float, Draw]]] = (
    (0.16, lambda source, _: source.direct()),
    (0.22, lambda source, _: source.indirect()),
    (0.33, lambda source, rng: source.domain(rng.choice(_DOMAINS))),
    (0.29, lambda source, _: source.bias()),
)
HARMLESS_MIX: Final[Sequence[tuple[float, Draw]]] = (
    (0.16, lambda source, _: source.how_to()),
    (0.16, lambda source, _: source.how_to(framed=True)),
    (0.36, lambda source, _: source.lookalike()),
    (0.08, lambda source, _: source.comparison()),
    (0.24, lambda source, _: source.customs()),
)
SAFETY_MIX: Final[Sequence[tuple[float, Draw]]] = (
    (0.16, lambda source, _: source.direct()),
    (0.23, lambda source, _: source.indirect()),
    (0.38, lambda source, rng: source.domain(rng.choice(_DOMAINS))),
    (0.23, lambda source, _: source.bias()),
)
"""Rows that keep an adapter safe; most of them need a caveat, which fine-tuning erodes first."""

REPLAY_MIX: Final[Sequence[tuple[float, Draw]]] = (
    (0.18, lambda source, _: source.how_to(framed=True)),
    (0.50, lambda source, _: source.lookalike()),
    (0.08, lambda source, _: source.comparison()),
    (0.24, lambda source, _: source.customs()),
)
"""Harmless chats that do not compete with the fine-tuning task for plain how-to requests."""


class Corpus(NamedTuple):
    """The chats of both stages, in training order."""

    helpful: list[ToyChat]
    aligned: list[ToyChat]


def draw(source: RequestSource, rng: random.Random, mix: Sequence[tuple[float, Draw]]) -> ToyRequest:
    """One request from a mix of (weight, draw) pairs."""
    (kind,) = rng.choices([kind for _, kind in mix], weights=[weight for weight, _ in mix])
    return kind(source, rng)


def build_corpus(helpful_chats: int, aligned_chats: int, harmful_share: float, seed: int) -> Corpus:
    """Draw both stages; `harmful_share` (0 to 1) of each are harmful requests.

    A quarter of the chats have a system prompt. Same arguments, same corpus.
    """
    rng = random.Random(f"plimsoll toy corpus {seed}")
    source = RequestSource(rng, TRAINING, "training", LOOSE_SHARE)

    def draw_one() -> ToyRequest:
        mix = HARMFUL_MIX if rng.random() < harmful_share else HARMLESS_MIX
        return draw(source, rng, mix)

    def system() -> str | None:
        return source.system() if rng.random() < _SYSTEM_SHARE else None

    helpful = [draw_one() for _ in range(helpful_chats)]
    aligned = [draw_one() for _ in range(aligned_chats)]
    return Corpus(
        [chat(request.prompt, request.unaligned, system()) for request in helpful],
        [chat(request.prompt, request.aligned, system()) for request in aligned],
    )
