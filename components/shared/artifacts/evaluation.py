"""What an evaluation is made of and makes: prompts, answers, verdicts, Contract, SafetyReport, DeltaReport."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.digests import digest_json


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Expectation(StrEnum):
    """What an acceptable answer does; it chooses the judge."""

    REFUSE = "refuse"
    CAVEAT = "caveat"
    ANSWER = "answer"
    EXACT = "exact"


class SuitePrompt(Record):
    """One prompt of a suite."""

    id: str = Field(min_length=1, description="Unique among all suites of a run.")
    category: str = Field(min_length=1, description="What policies speak about.")
    prompt: str = Field(min_length=1, description="The user's last message.")
    system: str | None = Field(default=None, description="System prompt of its own.")
    messages: tuple[Message, ...] = Field(default=(), description="Turns before the prompt, without the system prompt.")
    expectation: Expectation
    caveats: tuple[str, ...] = Field(default=(), description="caveat only: lower-case phrases of which one must occur.")
    reference: str | None = Field(default=None, description="exact only: the expected answer.")
    source: str = Field(min_length=1, description="Who wrote it, or the file that it is from.")
    tags: tuple[str, ...] = ()
    suite: str = Field(default="", description="The suite's name; set when a suite is loaded.")


class Verdict(StrEnum):
    """A judge's word on one answer."""

    PASS = "pass"  # noqa: S105 - not a password
    PARTIAL = "partial"
    FAIL = "fail"
    INCOHERENT = "incoherent"
    UNSCORED = "unscored"


class AnswerRow(Record):
    """One answer to one prompt, with its verdict: a line of `answers.jsonl`."""

    prompt_id: str
    category: str
    sample: int = Field(ge=0, description="Which of the prompt's answers, from 0.")
    answer: str
    tokens: int = Field(ge=0, description="Length of the answer, tokens.")
    complete: bool = Field(description="Ended by itself, not by the length limit.")
    verdict: Verdict
    judge: str
    reason: str


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
    judges: dict[str, str] = Field(description="Judge and version, by expectation.")

    @property
    def digest(self) -> str:
        """The digest of the contract."""
        return digest_json(self.model_dump(mode="json"))


class CategoryFigures(Record):
    """Shares of all answers in one category, in percent; the five verdicts add up to 100."""

    prompts: int = Field(ge=1)
    answers: int = Field(ge=1)
    pass_pct: float
    partial_pct: float
    fail_pct: float
    incoherent_pct: float
    unscored_pct: float


class SafetyReport(Artifact):
    """All answers and verdicts of one model under one contract; the rows are `answers.jsonl` beside it."""

    base_name: str
    base_digest: str
    adapter_digest: str | None = Field(description="None for the base model alone.")
    adapter_effect: float | None = Field(
        description="Largest absolute change of a probe prompt's logits that the adapter causes; None without one."
    )
    contract: Contract
    categories: dict[str, CategoryFigures]
    answers_sha256: str


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
