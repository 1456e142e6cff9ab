"""The inputs and the result of training: TrainingData, PromptSet, AdapterManifest."""

from typing import Literal

from pydantic import Field

from components.shared.artifacts.artifact import Artifact, Record
from components.shared.config.sections import Recipe
from components.shared.digests import digest_json


class DataSource(Record):
    """The training rows of one address: of a file, a folder or a data set."""

    address: str
    role: str = Field(description="task, safety or replay.")
    sha256: str
    format: str
    rows: int = Field(ge=0, description="Rows in the file.")
    used: int = Field(ge=0, description="Rows that are in the training set.")
    revision: str | None = Field(default=None, description="Commit of a data set on the hub; null: the rows are files.")


class TrainingData(Artifact):
    """A validated, hashed and split data set; its rows are in `train.jsonl` beside it."""

    sources: tuple[DataSource, ...]
    train_rows: int = Field(ge=1)
    heldout_rows: int = Field(ge=0)
    train_sha256: str = Field(description="Digest of train.jsonl; if it changes, a scheduled run trains again.")
    suite_prompts_checked: int = Field(
        ge=0, description="Number of suite prompts that were compared with the training rows; none occurs in them."
    )
    system_turns: Literal["refuse", "fold"] = Field(
        default="refuse", description="What training does with system turns that the chat template refuses or drops."
    )


class SuiteEntry(Record):
    """One suite of a prompt set."""

    name: str
    version: str
    sha256: str = Field(description="Digest of the suite's prompts.")
    categories: dict[str, int] = Field(description="Number of prompts by category.")


class PromptSet(Artifact):
    """All prompts of one run; the prompts are in `prompts.jsonl` beside it."""

    suites: tuple[SuiteEntry, ...]
    prompts_sha256: str


class LearntTokens(Record):
    """What training learnt of the rows."""

    method: Literal["prefix"] = Field(
        description="How it is told what is learnt. prefix: what an answer adds to the prompt in which it is asked."
    )
    rows: int = Field(
        ge=1,
        description="Rows that were trained: several of one chat, where earlier turns are shown "
        "otherwise than when they were asked.",
    )
    answers: int = Field(ge=1)
    tokens: int = Field(ge=1, description="Tokens of all rows.")
    learnt: int = Field(ge=1, description="Tokens that were learnt: answers and their end tokens.")
    longest: int = Field(ge=1, description="Tokens of the longest row.")
    thinking: str = Field(description="What training does to thinking; empty for a base that knows none.")
    example: str = Field(description="The first row, with what is learnt between ⟦ and ⟧.")

    @property
    def share(self) -> float:
        """The share of the tokens that was learnt."""
        return self.learnt / self.tokens


class AdapterManifest(Artifact):
    """The origin of an adapter; `adapter_model.safetensors` and `adapter_config.json` are beside it."""

    base_name: str
    base_digest: str = Field(description="Digest of the base model's files: weights, configs and tokenizer.")
    data_digest: str = Field(description="TrainingData.train_sha256.")
    recipe: Recipe
    policy_digest: str = Field(description="Digest of the policy, fixed before training began.")
    adapter_digest: str = Field(description="Digest of the adapter's two files.")
    software: dict[str, str] = Field(description="Versions of the training libraries.")
    trainable_parameters: int = Field(ge=1)
    steps: int = Field(ge=1)
    train_loss: float
    learnt: LearntTokens | None = Field(default=None, description="What was learnt; None in older manifests.")

    @property
    def recipe_digest(self) -> str:
        """The digest of the recipe."""
        return digest_json(self.recipe.model_dump(mode="json"))
