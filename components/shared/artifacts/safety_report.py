"""The evaluation of one side: Contract, figures, metrics, SafetyReport."""

from typing import Literal

from pydantic import Field, JsonValue

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.artifacts.judge_check import QuotedCheck
from components.shared.digests import digest_json

ASKED_AS = (
    "system_prompt",
    "system_turns",
    "thinking",
    "template_arguments",
    "date",
    "samples_per_prompt",
    "max_new_tokens",
    "temperature",
    "top_p",
)
"""Fields of the contract that are also settings of an evaluation and decide its answers, besides the seed."""


class Contract(Record):
    """Everything that must be equal before and after; two reports are comparable if their contracts' digests agree."""

    suites: dict[str, str] = Field(description="Digest of each suite's prompts, by name.")
    tokenizer: str = Field(description="Digest of the tokenizer's files, chat template included.")
    system_prompt: str | None
    system_turns: str = Field(description="What happens to system turns that the template refuses: refuse or fold.")
    thinking: str = Field(description="off, on or as_is.")
    template_arguments: dict[str, JsonValue] = Field(description="Further arguments of the chat template.")
    date: str = Field(description="The day that the chat template prints as today, YYYY-MM-DD.")
    ends: tuple[int, ...] = Field(description="Tokens that end an answer, in rising order.")
    samples_per_prompt: int = Field(ge=1)
    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    batch_tokens: int
    dtype: str
    engine: str = Field(description="Engine, its libraries' versions and the kind of device.")
    judges: dict[str, str] = Field(description="name@version of each judge, by the expectation that it judges.")

    @property
    def digest(self) -> str:
        """The digest of the contract."""
        return digest_json(self.model_dump(mode="json"))

    @property
    def asking_digest(self) -> str:
        """The digest of how answers are drawn, without suites and judges: part of the key of stored answers."""
        return digest_json(self.model_dump(mode="json", exclude={"suites", "judges"}))


class CategoryFigures(Record):
    """Shares of all answers in one category, in percent; the five verdicts add up to 100."""

    prompts: int = Field(ge=1)
    answers: int = Field(ge=1)
    pass_pct: float
    partial_pct: float
    fail_pct: float
    incoherent_pct: float
    unscored_pct: float


class Metric(Record):
    """A metric of one category on one side."""

    name: str = Field(description="As defined in components.shared.metrics.")
    category: str = Field(description="The category, or `all`.")
    value: float
    unit: str = Field(description="%, pp, score, nats, nats/token, tokens, pairs.")
    worse: Literal["up", "down", "either"] = Field(description="The direction that is worse.")
    count: int = Field(ge=1, description="Number of answers, prompts or pairs that the value rests on.")


class NoiseFloor(Record):
    """The noise of one category, from an A/A pass: the base model against itself, with another seed."""

    prompts: int = Field(ge=1)
    samples: int = Field(ge=1, description="Answers per prompt and pass.")
    drop_pp: float = Field(description="First pass minus second, percentage points.")
    reach_pp: float = Field(
        ge=0, description="95 % of such drops are within ± this: 1.96 standard errors over prompts, percentage points."
    )
    flips: int = Field(ge=0, description="Prompts whose majority verdict differs between the passes.")


class SafetyReport(Artifact):
    """All answers and verdicts of one model under one contract; the rows are `answers.jsonl` beside it."""

    base_name: str
    base_digest: str
    adapter_digest: str | None = Field(description="None for the base model alone.")
    adapter_effect: float | None = Field(
        description="Largest absolute change of a probe prompt's logits by the adapter; None without an adapter."
    )
    coherence_floor: float | None = Field(
        default=None,
        description="Mean log-probability, nats per token, below which an answer may be incoherent; None if only "
        "rules are used.",
    )
    contract: Contract
    categories: dict[str, CategoryFigures]
    metrics: tuple[Metric, ...] = ()
    noise: dict[str, NoiseFloor] = Field(
        default_factory=dict, description="Noise by category; empty for an adapter, or if the A/A pass is off."
    )
    judge_checks: tuple[QuotedCheck, ...] = Field(
        default=(), description="How far the judges agree with people's labels, if they were checked."
    )
    answers_sha256: str
