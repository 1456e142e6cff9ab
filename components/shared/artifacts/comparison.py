"""The comparison of two safety reports: DeltaReport, FollowUpReport."""

from typing import Literal

from pydantic import Field

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.artifacts.judge_check import QuotedCheck
from components.shared.artifacts.metric_deltas import MetricDelta
from components.shared.artifacts.safety_report import NoiseFloor


class CategoryDelta(Record):
    """The paired drop of one category, in percentage points; positive = fewer answers pass after."""

    category: str
    prompts: int = Field(ge=1)
    samples: int = Field(ge=1, description="Answers per prompt and side.")
    graded_by: str | None = Field(
        default=None, description="The judge whose grades are compared, in percent; None: the share of passing answers."
    )
    before_pct: float
    after_pct: float
    drop_pp: float
    lower_pp: float = Field(description="One-sided lower bound of the drop.")
    upper_pp: float = Field(description="One-sided upper bound of the drop.")
    spread_pp: float = Field(ge=0, description="Standard deviation of the drop over prompts.")
    after_lower_pct: float = Field(description="One-sided lower bound of after_pct.")
    after_upper_pct: float = Field(description="One-sided upper bound of after_pct.")
    mcnemar_p: float = Field(description="Exact one-sided McNemar p-value on prompts' majority verdicts.")
    newly_failing: tuple[str, ...] = Field(description="Prompts whose majority passed before and not after.")
    newly_passing: tuple[str, ...]


class EscalatedPrompt(Record):
    """A prompt that looks worse and is asked again."""

    prompt_id: str
    category: str
    drop: float = Field(description="Fall of its share of passing answers, 0 to 1.")


class AncestorDrop(Record):
    """The paired drop of one category from the original aligned model to the tuned one, over all tunings together."""

    prompts: int = Field(ge=1)
    ancestor_pct: float = Field(description="Share of the ancestor's answers that pass, percent.")
    after_pct: float = Field(description="Share of the tuned model's answers that pass, percent.")
    drop_pp: float = Field(description="Percentage points, positive = fewer answers pass now.")
    lower_pp: float = Field(description="One-sided lower bound of the drop.")
    upper_pp: float = Field(description="One-sided upper bound of the drop.")


class Ancestry(Record):
    """The tuned model against the original aligned model, if its base is itself tuned; shown, never decided on."""

    ancestor: str = Field(description="Digest of the ancestor's safety report.")
    name: str = Field(description="The ancestor's name in that report.")
    drops: dict[str, AncestorDrop] = Field(description="By category; empty if the two cannot be compared.")
    problems: tuple[str, ...] = Field(description="Why they cannot be compared; empty if they can.")


class DeltaReport(Artifact):
    """The drop of every category, and the prompts to ask again."""

    contract_digest: str
    confidence: float
    categories: dict[str, CategoryDelta]
    groups: dict[str, CategoryDelta] = Field(
        default_factory=dict,
        description="Drops of groups over categories: over_refusal, instruction_adherence; groups without prompts are "
        "left out.",
    )
    disagreement_pct: dict[str, float] = Field(
        default_factory=dict,
        description="Percent of the adapter's answers about which two judges disagree, by category; only categories "
        "with a second judge.",
    )
    noise: dict[str, NoiseFloor] = Field(
        default_factory=dict, description="How far the base model alone moves between two runs, by category."
    )
    ancestry: Ancestry | None = Field(
        default=None, description="The drop against the original aligned model; None if the config names none."
    )
    escalated: tuple[EscalatedPrompt, ...]
    over_budget: dict[str, int] = Field(
        description="By category, number of prompts that look worse and were beyond the follow-up's budget."
    )
    metrics: tuple[MetricDelta, ...] = Field(
        default=(), description="Every metric before and after; they explain the decision, but do not affect it."
    )
    judge_checks: tuple[QuotedCheck, ...] = Field(
        default=(), description="How far the judges agree with people's labels, if they were checked."
    )
    problems: tuple[str, ...] = Field(description="Why the two sides cannot be compared; empty if they can.")


class FollowUpPrompt(Record):
    """Fresh answers to one escalated prompt."""

    prompt_id: str
    category: str
    samples: int = Field(ge=0)
    passed_before: int = Field(ge=0)
    passed_after: int = Field(ge=0)
    fisher_p: float
    confirmed: bool = Field(description="The prompt newly fails: significant after Bonferroni, and few answers pass.")


class VariantFigures(Record):
    """The answers to the prompts of one category in one variant, on both sides."""

    category: str
    variant: str = Field(description="Name of the variant, such as persona or prefill_10.")
    prompts: int = Field(ge=1)
    answers: int = Field(ge=1, description="Per side.")
    failed_before_pct: float = Field(description="Share of the base's answers that do not pass.")
    failed_after_pct: float = Field(description="Share of the adapter's answers that do not pass.")
    look_at: tuple[str, ...] = Field(description="Prompts whose failures rose most, at most five.")


_RowsName = Literal["before", "after", "variants_before", "variants_after"]
"""A file of rows without its ending. No other name is read, so that a report cannot name a file elsewhere."""


class FollowUpReport(Artifact):
    """Fresh answers on both sides; if any were asked, the rows are in `before.jsonl` and `after.jsonl` beside it."""

    adapter_digest: str
    contract_digest: str
    alpha: float = Field(description="Significance level of one prompt, after Bonferroni over the follow-up's budget.")
    prompts: tuple[FollowUpPrompt, ...]
    variants: tuple[VariantFigures, ...] = Field(
        default=(), description="How far and in which variants categories fail; they do not affect the decision."
    )
    answers_sha256: dict[_RowsName, str] = Field(
        description="Digest of each file of rows, by its name without ending; empty if no prompt was asked."
    )
