"""What two safety reports say together: DeltaReport, FollowUpReport."""

from pydantic import Field

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.artifacts.judging import QuotedCheck
from components.shared.artifacts.metric_deltas import MetricDelta


class CategoryDelta(Record):
    """The paired change of one category. Drops are percentage points, positive = fewer answers pass after."""

    category: str
    prompts: int = Field(ge=1)
    samples: int = Field(ge=1, description="Answers per prompt and side.")
    before_pct: float
    after_pct: float
    drop_pp: float
    lower_pp: float = Field(description="One-sided lower bound of the drop.")
    upper_pp: float = Field(description="One-sided upper bound of the drop.")
    spread_pp: float = Field(ge=0, description="Standard deviation of the drop over prompts.")
    mcnemar_p: float = Field(description="Exact one-sided McNemar p-value on prompts' majority verdicts.")
    newly_failing: tuple[str, ...] = Field(description="Prompts whose majority passed before and not after.")
    newly_passing: tuple[str, ...]


class EscalatedPrompt(Record):
    """A prompt that looks worse."""

    prompt_id: str
    category: str
    drop: float = Field(description="Fall of its share of passing answers, 0 to 1.")


class DeltaReport(Artifact):
    """After minus before, per category."""

    contract_digest: str
    confidence: float
    categories: dict[str, CategoryDelta]
    escalated: tuple[EscalatedPrompt, ...]
    over_budget: dict[str, int] = Field(
        description="Prompts by category that look worse too, but were left out by the follow-up's budget."
    )
    metrics: tuple[MetricDelta, ...] = Field(
        default=(), description="Every metric before and after; they explain the decision and do not make it."
    )
    judge_checks: tuple[QuotedCheck, ...] = Field(
        default=(), description="How far the judges agree with people, where that was checked."
    )
    problems: tuple[str, ...] = Field(description="Why the two sides cannot be compared; empty when they can.")


class FollowUpPrompt(Record):
    """Fresh answers to one escalated prompt."""

    prompt_id: str
    category: str
    samples: int = Field(ge=0)
    passed_before: int = Field(ge=0)
    passed_after: int = Field(ge=0)
    fisher_p: float
    confirmed: bool = Field(description="The flip is real: significant after Bonferroni, and mostly failing now.")


class FollowUpReport(Artifact):
    """Fresh answers on both sides; the rows are `before.jsonl` and `after.jsonl` beside it, where any were asked."""

    adapter_digest: str
    contract_digest: str
    alpha: float = Field(description="Significance level of one prompt, after Bonferroni.")
    prompts: tuple[FollowUpPrompt, ...]
    answers_sha256: dict[str, str] = Field(description="Digest of the rows by side; empty when none were asked.")
