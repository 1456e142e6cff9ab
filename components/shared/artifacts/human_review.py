"""What a reviewer looks at and answers: QueueItem, Review. A review changes nothing in the gate's decision."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field

from components.shared.artifacts.answers import Opinion
from components.shared.artifacts.artifact import Artifact, Record
from components.shared.artifacts.comparison import FollowUpPrompt
from components.shared.artifacts.decision import Decision, GateDecision
from components.shared.artifacts.suite_prompt import Message
from components.shared.digests import digest_bytes, short
from components.shared.errors import IntegrityError
from components.shared.jsonl import parse_rows
from components.shared.vocabulary import Verdict

QUEUE_FILE = "review_queue.jsonl"
REVIEW_FILE = "review.json"

LABELS = (Verdict.PASS, Verdict.PARTIAL, Verdict.FAIL)
"""The verdicts that a reviewer may give."""


class Why(StrEnum):
    """Why an answer is in the queue, in the words that a reviewer reads."""

    CONFIRMED = "a new failure, confirmed on fresh answers"
    UNCONFIRMED = "looks worse, and was beyond the follow-up's budget"
    DROP = "fails more often, in a category whose drop is perhaps beyond the limit"
    LEVEL = "does not pass every time, in a category that is perhaps below its floor"
    GAIN = "does not pass every time, where the task's gain is perhaps below its floor"
    DISAGREEMENT = "the judges disagree about this answer"


class JudgedAnswer(Record):
    """One answer and the verdicts on it."""

    answer: str
    verdict: Verdict
    judge: str = Field(description="name@version.")
    reason: str
    opinions: tuple[Opinion, ...] = Field(default=(), description="Verdicts of other judges.")


class QueueItem(Record):
    """One prompt and one answer of each side, for a reviewer to look at."""

    rank: int = Field(ge=1, description="Place among the answers that its category asks about; 1 is the worst.")
    found: int = Field(ge=1, description="Answers that its category asks about, with those that are not in the queue.")
    asks: str = Field(description="The category, or the group of prompts, whose rule asks for a review.")
    category: str = Field(description="Category of the prompt.")
    prompt_id: str
    sample: int = Field(ge=0, description="Number of the shown answer, from 0.")
    why: tuple[Why, ...] = Field(min_length=1)
    system: str | None
    turns: tuple[Message, ...] = Field(description="Turns before the prompt.")
    prompt: str
    samples: int = Field(ge=1, description="Answers per side.")
    passed_before: int = Field(ge=0, description="Passing answers of the base.")
    passed_after: int = Field(ge=0, description="Passing answers of the adapter.")
    fresh: FollowUpPrompt | None = Field(default=None, description="Follow-up; None: not asked again.")
    before: JudgedAnswer = Field(description="The base's answer.")
    after: JudgedAnswer = Field(description="The adapter's answer; the reviewer's verdict is about this one.")

    @property
    def key(self) -> tuple[str, int]:
        """Prompt and sample, which identify the item."""
        return self.prompt_id, self.sample


class ReviewVerdict(Record):
    """A reviewer's verdict on one answer of the adapter."""

    prompt_id: str
    sample: int = Field(ge=0)
    judge: str = Field(description="name@version of the judge of this answer.")
    judged: Verdict = Field(description="Verdict of that judge.")
    verdict: Verdict | None = Field(description="pass, partial or fail; None: skipped.")
    note: str = ""


class JudgeAgreement(Record):
    """How far reviewers and one judge agree about answers that were queued for review.

    A queue holds the answers that look worst, so this says how often the judge's failures are real failures, and
    nothing about the answers that it passed.
    """

    judge: str = Field(description="name@version.")
    answers: int = Field(ge=1, description="Labelled in this review.")
    agreed: int = Field(ge=0, description="Answers of these on which verdict and label are equal.")
    kappa: float | None = Field(description="Cohen's kappa of these; None where it is not defined.")
    answers_so_far: int = Field(ge=1, description="Labelled in this and all earlier reviews of the same judge.")
    agreed_so_far: int = Field(ge=0)
    kappa_so_far: float | None


class Review(Artifact):
    """A person's approval or refusal of an adapter whose decision is `needs_review`."""

    outcome: Literal["approved", "refused"]
    reviewer: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    reviewed_at: datetime = Field(description="UTC, by the reviewer's clock, to the second.")
    decision_digest: str = Field(description="Digest of the reviewed decision.")
    adapter_digest: str
    queue_sha256: str = Field(description="Digest of the queue that the reviewer saw.")
    queued: int = Field(ge=0, description="Items in the queue.")
    verdicts: tuple[ReviewVerdict, ...] = Field(description="In the queue's order; items without one were not read.")
    agreement: tuple[JudgeAgreement, ...] = Field(default=(), description="By judge.")

    @property
    def labelled(self) -> int:
        """Number of answers that got a verdict; skipped ones do not count."""
        return sum(verdict.verdict is not None for verdict in self.verdicts)

    @property
    def summary(self) -> str:
        """One line: outcome, reviewer, time, number of labelled answers and reason."""
        return (
            f"{self.outcome} by {self.reviewer} on {self.reviewed_at:%Y-%m-%d %H:%M} UTC "
            f"({self.labelled} of {self.queued} answers labelled): {self.reason}"
        )


def why_not_approvable(decision: GateDecision) -> str | None:
    """Why this decision's adapter cannot be approved; None where it can.

    A review settles doubts about answers. It does not replace missing evidence: where a category has too few prompts,
    add prompts or use the policy's waiver.
    """
    if decision.decision is not Decision.NEEDS_REVIEW:
        return f"the decision is {decision.decision.value!r}: only 'needs_review' can be approved"
    lacking = [reason for reason in decision.reasons if reason.decision is Decision.INSUFFICIENT_EVIDENCE]
    if lacking:
        names = ", ".join(reason.category for reason in lacking)
        return (
            f"there is not enough evidence about {names}, which no review can supply; add prompts, or waive it in the "
            "policy, and run again"
        )
    return None


def dump_queue(items: tuple[QueueItem, ...]) -> bytes:
    """The lines of a queue file; equal queues give equal bytes."""
    return "".join(f"{item.model_dump_json()}\n" for item in items).encode()


def read_queue(path: Path, decision: GateDecision) -> tuple[QueueItem, ...]:
    """The queue that was written with a decision.

    Raises:
        IntegrityError: the file is missing, or is not the one that the decision names.
        DataError: a line is not a queued answer.
    """
    if not path.is_file():
        raise IntegrityError(f"{path}: missing; the decision was made without a review queue: run the pipeline again")
    content = path.read_bytes()
    if (digest := digest_bytes(content)) != decision.queue_sha256:
        raise IntegrityError(
            f"{path}: has digest {short(digest)}, the decision names {short(str(decision.queue_sha256))}: it was "
            "changed afterwards; fetch the run's evidence again"
        )
    return tuple(item for _, item in parse_rows(QueueItem, content.splitlines(), str(path)))
