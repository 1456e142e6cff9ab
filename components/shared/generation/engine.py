"""The Engine protocol: conversations in, sampled completions out.

This module does not know models, suites or judges.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from components.shared.artifacts.suite_prompt import Message

Conversation = Sequence[Message]
"""Turns that end with the user's; the completion is the assistant's next turn."""


class Opening(NamedTuple):
    """How a completion is forced to begin: with the first `tokens` tokens of a text."""

    text: str
    tokens: int


NO_OPENING = Opening("", 0)


class Request(NamedTuple):
    """One conversation to complete.

    Attributes:
        conversation: turns that end with the user's.
        samples: completions to draw.
        key: names the request; its completions are seeded by it, wherever it stands in a batch.
        opening: what the assistant's turn already holds; it is no part of the completion, nor of max_new_tokens.
    """

    conversation: Conversation
    samples: int
    key: str
    opening: Opening = NO_OPENING


class Sampling(NamedTuple):
    """How completions are drawn; equal sampling and equal weights give equal completions on one machine."""

    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    batch_tokens: int


class Completion(NamedTuple):
    """One sampled completion."""

    text: str
    tokens: int
    complete: bool


OnDone = Callable[[int], None]
"""Called with the number of completions that were just finished."""


class Continuation(NamedTuple):
    """A conversation and a text that might be its next turn."""

    conversation: Conversation
    text: str


class Engine(Protocol):
    """Draws completions from one model, and says how likely texts are under it."""

    @property
    def description(self) -> str:
        """Engine, versions and kind of device: part of the contract."""

    def generate(self, requests: Sequence[Request], sampling: Sampling, on_done: OnDone) -> list[list[Completion]]:
        """`request.samples` completions per request, in the order given.

        Raises:
            ModelError: a conversation does not fit the model's context, or an opening has too few tokens.
        """

    def log_probs(self, continuations: Sequence[Continuation], cut: bool = False) -> list[list[float]]:
        """Log-probability of each token of each text, nats; without the token that ends the turn.

        Args:
            continuations: conversations and texts.
            cut: whether a text ends where the model's context does; if not, it must fit.

        Raises:
            ModelError: a conversation and its text, or with `cut` the conversation alone, do not fit the context.
        """
