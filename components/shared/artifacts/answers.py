"""What a model answered and how that was judged: a line of `answers.jsonl`."""

from pydantic import Field

from components.shared.artifacts.artifact import Record
from components.shared.vocabulary import Verdict


class Opinion(Record):
    """A second judge's word: shown beside the verdict and counted for itself, never mixed into it."""

    judge: str = Field(description="name@version.")
    verdict: Verdict
    score: float | None = Field(default=None, description="The judge's number, in its own unit; None without one.")
    reason: str


class Answer(Record):
    """One completion of one prompt, before any judge."""

    prompt_id: str
    category: str
    sample: int = Field(ge=0, description="Which of the prompt's answers, from 0.")
    answer: str
    tokens: int = Field(ge=0, description="Length of the answer, tokens.")
    complete: bool = Field(description="Ended by itself, not by the length limit.")
    base_log_prob: float | None = Field(
        default=None,
        description="Mean log-probability of the answer's tokens under the base model, nats; None where not measured.",
    )
    shuffles_beaten: float | None = Field(
        default=None,
        description="Share of its shuffled copies that the answer is more likely than, 0 to 1, where the base model "
        "finds it suspiciously unlikely; None elsewhere.",
    )


class AnswerRow(Answer):
    """An answer with its verdict."""

    verdict: Verdict
    judge: str = Field(description="name@version of the judge whose verdict it is.")
    reason: str
    span: str = Field(default="", description="The words of the answer that the verdict rests on.")
    opinions: tuple[Opinion, ...] = ()
