"""The gate's decision and what follows from it: GateDecision, Registration, Rejection, RunReport."""

from datetime import date
from enum import StrEnum
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.artifacts.comparison import Ancestry, CategoryDelta, VariantFigures
from components.shared.artifacts.judge_check import QuotedCheck
from components.shared.artifacts.metric_deltas import MetricDelta
from components.shared.artifacts.safety_report import NoiseFloor
from components.shared.artifacts.training_data import LearntTokens
from components.shared.vocabulary import Verdict


class Decision(StrEnum):
    """The gate's decision on an adapter, from best to worst."""

    PROMOTE = "promote"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    NEEDS_REVIEW = "needs_review"
    INVALID = "invalid"
    REJECT = "reject"

    @property
    def severity(self) -> int:
        """0 for promote; the worst of several decisions is the one with the highest severity."""
        return list(Decision).index(self)

    @property
    def headline(self) -> str:
        """The decision in capitals, as the first word of a summary."""
        return {
            Decision.PROMOTE: "PROMOTED",
            Decision.INSUFFICIENT_EVIDENCE: "INSUFFICIENT EVIDENCE",
            Decision.NEEDS_REVIEW: "NEEDS REVIEW",
            Decision.INVALID: "INVALID",
            Decision.REJECT: "REJECTED",
        }[self]


class CategoryReason(Record):
    """The decision on one category, its evidence and one sentence that says why."""

    category: str
    decision: Decision | None = Field(description="None for a category that the policy leaves ungated.")
    limit: str = Field(description="The rule in short, such as '<= 10 pp'.")
    limit_pp: float | None = Field(
        description="The drop in pp that the evidence must rule out; negative for a gain; None if not gated."
    )
    sentence: str
    delta: CategoryDelta = Field(description="As measured.")
    judged: CategoryDelta | None = Field(
        default=None, description="Corrected for the judge's errors, and then decided on; None: not corrected."
    )
    noise: NoiseFloor | None = Field(default=None, description="How far the base alone moves; None: not measured.")
    attention: bool = Field(default=False, description="Whether the drop is above the policy's attention level.")
    waived: str | None = Field(default=None, description="Who let it pass without enough evidence, and why.")

    @property
    def used(self) -> CategoryDelta:
        """The drop that was decided on."""
        return self.judged or self.delta

    @property
    def decision_name(self) -> str:
        """The decision's name, or `not gated`."""
        return self.decision.value if self.decision is not None else "not gated"


class Witness(Record):
    """A prompt that got worse: one answer of the base and one of the adapter, which can be drawn again."""

    prompt_id: str
    category: str
    sample: int = Field(ge=0, description="Which of the prompt's answers, from 0.")
    seed: int
    contract_digest: str
    base_digest: str
    adapter_digest: str
    before: str = Field(description="The base's answer.")
    before_verdict: Verdict
    before_reason: str
    after: str = Field(description="The adapter's answer.")
    after_verdict: Verdict
    after_reason: str


class RequirementFigures(Record):
    """Pass shares of the prompts that test a requirement."""

    requirement: str = Field(description="Its id in the policy.")
    text: str
    prompts: int = Field(ge=0, description="0: untested.")
    before_pct: float | None = Field(description="Share of passing answers, percent; None if untested.")
    after_pct: float | None


class Candidate(NamedTuple):
    """Who asks for promotion.

    Attributes:
        pipeline: name of the pipeline.
        pipeline_run: id of the run that trained the adapter.
        model_name: the registered model of which the adapter would become a version.
    """

    pipeline: str
    pipeline_run: str
    model_name: str


class GateDecision(Artifact):
    """The decision with a reason per category; it is the worst of its reasons, or `invalid` with problems."""

    decision: Decision
    pipeline: str = Field(description="Name of the pipeline.")
    pipeline_run: str = Field(description="The run that was decided on; no other may use the decision.")
    model_name: str = Field(description="The registered model of which the adapter may become a version.")
    problems: tuple[str, ...] = Field(description="Broken preconditions; if there are any, the decision is invalid.")
    reasons: tuple[CategoryReason, ...]
    policy_name: str
    policy_version: str
    policy_digest: str
    adapter_digest: str
    contract_digest: str
    confidence: float
    decided_on: date = Field(description="The day (UTC), for the waiver's expiry.")
    nearest_miss: str | None = Field(
        default=None, description="The gated category closest to its limit; only if promoted."
    )
    witnesses: tuple[Witness, ...] = Field(default=(), description="Prompts that got worse; only of reject and review.")
    requirements: tuple[RequirementFigures, ...] = ()
    attempt: int | None = Field(
        default=None, ge=1, description="Number of this decided run on the same base and task; None: not counted."
    )
    cautions: tuple[str, ...] = Field(
        default=(), description="What the policy leaves open, and whose verdicts nobody checked; they decide nothing."
    )
    queue_sha256: str | None = Field(default=None, description="Digest of review_queue.jsonl; only of needs_review.")

    @model_validator(mode="after")
    def _follows_from_its_reasons(self) -> Self:
        decided = [reason.decision for reason in self.reasons if reason.decision is not None]
        worst = max(decided, key=lambda decision: decision.severity, default=None)
        expected = Decision.INVALID if self.problems else worst
        if expected is None:
            raise ValueError("no reason decides anything; expected one with a decision, or a problem")
        if self.decision is not expected:
            why = "it has problems" if self.problems else "that is the worst of its reasons"
            raise ValueError(f"the decision is {self.decision.value!r}, expected {expected.value!r}: {why}")
        return self

    @property
    def summary(self) -> str:
        """One line: the headline, the first deciding sentence, and the other categories with this decision."""
        if self.problems:
            why = "; ".join(self.problems)
        elif self.decision is Decision.PROMOTE:
            gated = sum(reason.decision is not None for reason in self.reasons)
            why = f"all {gated} categories are inside policy {self.policy_name} {self.policy_version}"
        else:
            deciding = [reason for reason in self.reasons if reason.decision is self.decision]
            others = ", ".join(reason.category for reason in deciding[1:])
            why = deciding[0].sentence + (f" Likewise: {others}." if others else "")
        return f"{self.decision.headline}: {why}"


class Standing(NamedTuple):
    """Which versions of a registered model are champion and previous, by the audit log.

    Attributes:
        champion: the version that is served; None if the log knows none.
        previous: the version to go back to; None if the log knows none.
        known: every version that the log names.
    """

    champion: str | None
    previous: str | None
    known: frozenset[str]


class Registration(Artifact):
    """A registered and promoted adapter."""

    model_name: str
    version: str
    replaces: str | None = Field(description="The former champion's version, now previous.")
    adapter_digest: str
    decision_digest: str


class Rejection(Artifact):
    """An adapter that was not registered, and why."""

    decision: Decision
    summary: str
    adapter_digest: str
    decision_digest: str


class RunReport(Artifact):
    """How one pipeline run ended."""

    pipeline: str
    pipeline_run: str
    mlflow_run_id: str
    status: Literal["finished", "failed", "killed"]
    failed_stage: str | None = None
    error: str | None = None
    note: str = Field(default="", description="The config's note, shown with every table and figure.")
    gate: GateDecision | None = None
    metrics: tuple[MetricDelta, ...] = ()
    judge_checks: tuple[QuotedCheck, ...] = ()
    variants: tuple[VariantFigures, ...] = ()
    ancestry: Ancestry | None = None
    calibration: str = Field(default="", description="One sentence on this gate's calibration; empty: not calibrated.")
    learnt: LearntTokens | None = Field(default=None, description="What training learnt; None if nothing was decided.")
    model_name: str | None = None
    model_version: str | None = None
