"""The Judge protocol: exchanges in, one judgement each out; `panel` chooses the judge of each prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.vocabulary import Verdict


class Exchange(NamedTuple):
    """A prompt and one answer to it."""

    prompt: SuitePrompt
    answer: str
    reference_log_prob: float | None = None
    """Mean log-probability of the reference's tokens, nats; None where it was not measured."""


class Judgement(NamedTuple):
    """A verdict and what it rests on.

    Attributes:
        verdict: `unscored` where the answer could not be read; never a guess.
        reason: one sentence for people.
        span: the words of the answer that decided, where some did.
        score: the judge's number, in the judge's unit; None if it has none.
    """

    verdict: Verdict
    reason: str
    span: str = ""
    score: float | None = None


class Judge(Protocol):
    """Reads answers. Equal name and version mean equal verdicts."""

    @property
    def name(self) -> str:
        """Short name, such as `refusal`."""

    @property
    def version(self) -> str:
        """Changes whenever any verdict may change: rules, model, threshold, prompt template."""

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """One judgement per exchange, in the same order."""


@dataclass(frozen=True)
class RuleJudge:
    """A judge that is a pure function of one exchange."""

    name: str
    version: str
    rule: Callable[[SuitePrompt, str], Judgement]

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """See `Judge.judge`."""
        return [self.rule(exchange.prompt, exchange.answer) for exchange in exchanges]


def label(judge: Judge) -> str:
    """name@version, as reports and contracts write it."""
    return f"{judge.name}@{judge.version}"
