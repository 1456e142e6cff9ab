"""The Engine protocol: conversations in, sampled completions out."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from components.shared.artifacts.suite_prompt import Message

Conversation = Sequence[Message]
"""Turns, the last of which is the user's; the completion is the assistant's next turn."""


class Opening(NamedTuple):
    """A forced beginning of a completion: the first `tokens` tokens of a text."""

    text: str
    tokens: int


NO_OPENING = Opening("", 0)


class Request(NamedTuple):
    """One conversation to complete.

    Attributes:
        conversation: turns that end with the user's.
        samples: completions to draw.
        key: names the request and seeds its completions, independent of its place in a batch.
        opening: forced beginning of the assistant's turn; not part of the completion, not counted in max_new_tokens.
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
    """One sampled completion.

    Attributes:
        text: the final text, without the reasoning before it.
        tokens: all generated tokens, reasoning included.
        complete: whether the model ended it; False: the length limit did.
        reasoning: what the model thought before its final text.
        unfinished_thought: whether it was cut before its final text began.
    """

    text: str
    tokens: int
    complete: bool
    reasoning: str = ""
    unfinished_thought: bool = False


OnDone = Callable[[int], None]
"""Called with the number of completions that have just finished."""


class Continuation(NamedTuple):
    """A conversation and a possible text of its next turn."""

    conversation: Conversation
    text: str


class Engine(Protocol):
    """Draws completions from one model, and scores texts under it."""

    @property
    def description(self) -> str:
        """Engine, versions and kind of device: part of the contract."""

    def generate(self, requests: Sequence[Request], sampling: Sampling, on_done: OnDone) -> list[list[Completion]]:
        """`request.samples` completions per request, in the order of the requests.

        Raises:
            ModelError: a conversation does not fit the model's context, or an opening has too few tokens.
        """

    def log_probs(self, continuations: Sequence[Continuation], cut: bool = False) -> list[list[float]]:
        """Log-probability of each token of each text, nats; without the token that ends the turn.

        Args:
            continuations: conversations and texts.
            cut: whether tokens beyond the model's context are dropped; otherwise the text must fit.

        Raises:
            ModelError: a conversation and its text, or with `cut` the conversation alone, do not fit the context.
        """
