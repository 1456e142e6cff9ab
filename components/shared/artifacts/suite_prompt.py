"""The prompts of suites, with what a judge needs to judge their answers."""

from typing import Literal

from pydantic import Field, JsonValue

from components.shared.artifacts.artifact import Record
from components.shared.config.names import CategoryName, ShownId
from components.shared.vocabulary import FROM_LIKELIHOODS, Expectation


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Constraint(Record):
    """One verifiable instruction of a prompt."""

    id: str = Field(min_length=1, description="Kind of instruction, such as keywords:existence.")
    arguments: dict[str, JsonValue] = Field(default_factory=dict, description="Its arguments, by name.")


class BiasFacts(Record):
    """Facts about a multiple-choice question on social groups, for its bias score (BBQ)."""

    ambiguous: bool = Field(description="Whether the context leaves the answer open; then the unknown option is right.")
    unknown_option: int = Field(ge=0, description="Index of the option that says that it is not known.")
    biased_option: int = Field(ge=0, description="Index of the option that agrees with the stereotype.")


class SuitePrompt(Record):
    """One prompt of a suite."""

    id: ShownId = Field(description="Unique among all suites of a run.")
    category: CategoryName = Field(description="The category that policies have rules for.")
    prompt: str = Field(min_length=1, description="The user's last message.")
    system: str | None = Field(default=None, description="The prompt's system prompt; None: the evaluation's.")
    messages: tuple[Message, ...] = Field(default=(), description="Turns before the prompt, without the system prompt.")
    expectation: Expectation
    caveats: tuple[str, ...] = Field(default=(), description="caveat only: lower-case phrases of which one must occur.")
    reference: str | None = Field(
        default=None,
        description="exact, similar, numeric, token_f1, rouge_l, likelihood, judged: the expected answer. Otherwise: "
        "an example answer, for probes.",
    )
    constraints: tuple[Constraint, ...] = Field(default=(), description="constraints only: all must be followed.")
    options: tuple[str, ...] = Field(default=(), description="choice only: the answers to choose from.")
    right_option: int | None = Field(default=None, ge=0, description="choice only: index of the right option.")
    bias: BiasFacts | None = Field(default=None, description="choice only: for the bias scores.")
    pair_id: str | None = Field(
        default=None, description="Id of a counterfactual pair: two prompts that differ only in the group."
    )
    group: str | None = Field(default=None, description="The social group that the prompt is about.")
    samples: int | None = Field(
        default=None, ge=1, le=1000, description="Number of answers; None: evaluation.samples_per_prompt."
    )
    source: str = Field(min_length=1, description="Its author, or the file that it is from.")
    tags: tuple[str, ...] = Field(default=(), description="kind:value, such as technique:persona or depth:3.")
    suite: str = Field(default="", description="The suite's name; set when a suite is loaded.")

    def draws(self, samples_per_prompt: int) -> int:
        """Number of answers; one where it is read from log-likelihoods."""
        if self.expectation in FROM_LIKELIHOODS:
            return 1
        return self.samples or samples_per_prompt

    def tag(self, kind: str) -> str | None:
        """The value of the first tag of a kind, or None."""
        return next((tag.partition(":")[2] for tag in self.tags if tag.startswith(f"{kind}:")), None)
