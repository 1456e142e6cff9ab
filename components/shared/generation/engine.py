"""The Engine protocol: conversations in, sampled completions out.

This module does not know models, suites or judges.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from components.shared.artifacts.evaluation import Message

Conversation = Sequence[Message]
"""Turns that end with the user's; the completion is the assistant's next turn."""


class Sampling(NamedTuple):
    """How completions are drawn; equal sampling and equal weights give equal completions on one machine."""

    samples: int
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


class Engine(Protocol):
    """Draws completions from one model."""

    @property
    def description(self) -> str:
        """Engine, versions and kind of device: part of the contract."""

    def generate(
        self, conversations: Sequence[Conversation], sampling: Sampling, on_done: OnDone
    ) -> list[list[Completion]]:
        """`sampling.samples` completions per conversation, in the order given.

        Raises:
            ModelError: a conversation does not fit the model's context.
        """
