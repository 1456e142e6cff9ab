"""A model's answer with its verdict: one line of `answers.jsonl`."""

from pydantic import Field

from components.shared.artifacts.artifact import Record
from components.shared.vocabulary import Verdict


class Opinion(Record):
    """A second judge's verdict: shown and counted separately, never mixed into the verdict."""

    judge: str = Field(description="name@version.")
    verdict: Verdict
    score: float | None = Field(default=None, description="The judge's number, in its own unit; None without one.")
    reason: str


class Answer(Record):
    """One completion of one prompt, not yet judged."""

    prompt_id: str
    category: str
    sample: int = Field(ge=0, description="Which of the prompt's answers, from 0.")
    answer: str = Field(description="The final text, without the reasoning before it.")
    tokens: int = Field(ge=0, description="Length of the answer, tokens, reasoning included.")
    complete: bool = Field(description="Whether the model ended the answer; False: the length limit did.")
    reasoning: str = Field(default="", description="What the model thought before its final text; not judged.")
    unfinished_thought: bool = Field(
        default=False, description="Whether the answer was cut before its final text began; then it is unscored."
    )
    reference_log_prob: float | None = Field(
        default=None,
        description="likelihood only: mean log-probability of the reference's tokens, nats; then the answer is it.",
    )
    base_log_prob: float | None = Field(
        default=None,
        description="Mean log-probability of the answer's tokens under the base model, nats; None where not measured.",
    )
    shuffles_beaten: float | None = Field(
        default=None,
        description="Share of its shuffled copies that are less likely than the answer, 0 to 1; measured only if the "
        "base model finds the answer very unlikely, otherwise None.",
    )


class AnswerRow(Answer):
    """An answer with its verdict."""

    verdict: Verdict
    judge: str = Field(description="name@version of the judge that gave the verdict.")
    reason: str
    span: str = Field(default="", description="Part of the answer that the verdict rests on.")
    score: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Graded expectations only: the answer's grade, which is compared instead of its verdict.",
    )
    opinions: tuple[Opinion, ...] = ()
