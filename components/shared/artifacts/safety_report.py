"""One side's evaluation: Contract, figures, metrics, SafetyReport."""

from typing import Literal

from pydantic import Field

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.artifacts.judge_check import QuotedCheck
from components.shared.digests import digest_json


class Contract(Record):
    """Everything that must be equal before and after; two reports are comparable when their digests agree."""

    suites: dict[str, str] = Field(description="Digest of each suite's prompts, by name.")
    tokenizer: str = Field(description="Digest of the tokenizer's files, chat template included.")
    system_prompt: str | None
    samples_per_prompt: int = Field(ge=1)
    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    batch_tokens: int
    dtype: str
    engine: str = Field(description="Engine, its libraries' versions and the kind of device.")
    judges: dict[str, str] = Field(description="name@version of each judge, by what it reads.")

    @property
    def digest(self) -> str:
        """The digest of the contract."""
        return digest_json(self.model_dump(mode="json"))

    @property
    def asking_digest(self) -> str:
        """The digest of how answers are drawn, whatever is asked and whoever judges: what finished answers go by."""
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
    """One number about one category of one side."""

    name: str = Field(description="As defined in components.shared.metrics.")
    category: str = Field(description="The category, or `all`.")
    value: float
    unit: str = Field(description="%, pp, score, nats, nats/token, tokens, pairs.")
    worse: Literal["up", "down", "either"] = Field(description="Direction in which a change is worse.")
    count: int = Field(ge=1, description="Answers, prompts or pairs that the number rests on.")


class NoiseFloor(Record):
    """One category of an A/A pass: the base model against itself with another seed, same prompts, same judges."""

    prompts: int = Field(ge=1)
    samples: int = Field(ge=1, description="Answers per prompt and pass.")
    drop_pp: float = Field(description="First pass minus second; by chance alone.")
    reach_pp: float = Field(
        ge=0, description="Half of the interval that 95 % of such drops fall into: 1.96 standard errors over prompts."
    )
    flips: int = Field(ge=0, description="Prompts whose majority verdict differs between the passes.")


class SafetyReport(Artifact):
    """All answers and verdicts of one model under one contract; the rows are `answers.jsonl` beside it."""

    base_name: str
    base_digest: str
    adapter_digest: str | None = Field(description="None for the base model alone.")
    adapter_effect: float | None = Field(
        description="Largest absolute change of a probe prompt's logits that the adapter causes; None without one."
    )
    coherence_floor: float | None = Field(
        default=None,
        description="Mean log-probability, nats per token, below which an answer is suspected of being no language; "
        "None where only rules look.",
    )
    contract: Contract
    categories: dict[str, CategoryFigures]
    metrics: tuple[Metric, ...] = ()
    noise: dict[str, NoiseFloor] = Field(
        default_factory=dict, description="A/A pass by category; empty for an adapter and where none was asked for."
    )
    judge_checks: tuple[QuotedCheck, ...] = Field(
        default=(), description="How far the judges agree with people, where that was checked."
    )
    answers_sha256: str
