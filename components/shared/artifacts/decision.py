"""What the gate says and what becomes of it: GateDecision, Registration, Rejection, RunReport."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.artifacts.comparison import Ancestry, CategoryDelta, VariantFigures
from components.shared.artifacts.judge_check import QuotedCheck
from components.shared.artifacts.metric_deltas import MetricDelta
from components.shared.artifacts.safety_report import NoiseFloor
from components.shared.vocabulary import Verdict


class Decision(StrEnum):
    """The gate's word on an adapter, from best to worst."""

    PROMOTE = "promote"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    NEEDS_REVIEW = "needs_review"
    INVALID = "invalid"
    REJECT = "reject"

    @property
    def severity(self) -> int:
        """0 for promote; the worst decision of several is the one with the highest severity."""
        return list(Decision).index(self)

    @property
    def headline(self) -> str:
        """The word that people see first."""
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
    limit: str = Field(description="The rule in a few characters, such as '<= 10 pp'.")
    limit_pp: float | None = Field(
        description="The drop in pp that the evidence must rule out; negative for a gain; None when ungated."
    )
    sentence: str
    delta: CategoryDelta = Field(description="As measured.")
    judged: CategoryDelta | None = Field(
        default=None, description="Corrected for the judge's measured errors: what was decided on; None: as measured."
    )
    noise: NoiseFloor | None = Field(default=None, description="How far the base alone moves; None: not measured.")
    attention: bool = Field(default=False, description="The drop is above the policy's level of attention.")
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
    """A prompt and two answers, the adapter's worse than the base's, that can be drawn again."""

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
    """How the prompts that test a requirement did."""

    requirement: str = Field(description="Its id in the policy.")
    text: str
    prompts: int = Field(ge=0, description="0: untested.")
    before_pct: float | None = Field(description="Share of passing answers, percent; None when untested.")
    after_pct: float | None


class GateDecision(Artifact):
    """The decision with a reason per category."""

    decision: Decision
    problems: tuple[str, ...] = Field(description="Broken preconditions; not empty exactly when invalid.")
    reasons: tuple[CategoryReason, ...]
    policy_name: str
    policy_version: str
    policy_digest: str
    adapter_digest: str
    contract_digest: str
    confidence: float
    decided_on: date = Field(description="The day, UTC: waivers expire.")
    nearest_miss: str | None = Field(
        default=None, description="The gated category with the least room to its limit; only of a promotion."
    )
    witnesses: tuple[Witness, ...] = Field(default=(), description="Of a rejection or a review: what got worse.")
    requirements: tuple[RequirementFigures, ...] = ()
    attempt: int | None = Field(
        default=None, ge=1, description="Which decided run on this base and task it is; None where not counted."
    )
    queue_sha256: str | None = Field(
        default=None, description="Digest of review_queue.jsonl, what a reviewer is to look at; only of needs_review."
    )

    @property
    def summary(self) -> str:
        """One line: the headline, the first sentence that decided, and the categories that decided likewise."""
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


class Registration(Artifact):
    """A registered and promoted adapter."""

    model_name: str
    version: str
    replaces: str | None = Field(description="The version that was champion before, now previous.")
    adapter_digest: str
    decision_digest: str


class Rejection(Artifact):
    """An adapter that got no version, and why."""

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
    note: str = Field(default="", description="What the config asks to be shown with every table and figure.")
    gate: GateDecision | None = None
    metrics: tuple[MetricDelta, ...] = ()
    judge_checks: tuple[QuotedCheck, ...] = ()
    variants: tuple[VariantFigures, ...] = ()
    ancestry: Ancestry | None = None
    calibration: str = Field(default="", description="What is known of this gate's sensitivity; empty: not calibrated.")
    model_name: str | None = None
    model_version: str | None = None
