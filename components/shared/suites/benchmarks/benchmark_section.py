"""The `benchmark:` section of a suite: which file, and which part of it. `loading` reads the file."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from components.shared.config.names import CategoryName
from components.shared.config.section import Section
from components.shared.suites.benchmarks.custom import Field as PromptField
from components.shared.vocabulary import Expectation

Format = Literal[
    "harmbench",
    "advbench",
    "simplesafetytests",
    "strongreject",
    "jailbreakbench",
    "xstest",
    "toxigen",
    "bbq",
    "donotanswer",
    "ailuminate",
    "ifeval",
    "emergent_misalignment",
    "custom",
]
Name = Annotated[str, Field(min_length=1)]


class BenchmarkSection(Section):
    """The `benchmark:` section of a suite."""

    format: Format = Field(description="How the file is read; see `plimsoll suites benchmarks`.")
    source: Name = Field(
        description="The file: a path relative to the working directory or else to the nearest folder above the "
        "suite's that has it; s3://BUCKET/KEY; or hub://ORG/NAME@REVISION/FILE of a data set."
    )
    sha256: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{64}$", description="Hash of the file's bytes, which is checked if it is set."
    )
    columns: dict[PromptField, Name] = Field(
        default_factory=dict,
        validate_default=True,
        description="custom only: the file's column by field of a prompt.",
    )
    category: CategoryName | None = Field(
        default=None, description="Puts every row into this policy category, instead of the benchmark's category."
    )
    expectation: Expectation | None = Field(
        default=None, description="What an acceptable answer does, instead of the benchmark's expectation."
    )
    include: dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]] = Field(
        default_factory=dict, description="Keeps rows that have one of these values, by column of the file."
    )
    sample: int | None = Field(default=None, ge=1, description="Draws this many prompts, stratified; by default all.")
    stratify_by: Name = Field(
        default="category",
        description="Strata of the sample: category, or a kind of tag such as topic.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of the sample.")

    @field_validator("columns")
    @classmethod
    def _columns_fit_format(cls, columns: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if "format" not in info.data:
            return columns
        if info.data["format"] != "custom" and columns:
            raise ValueError(f"is for format: custom only; the columns of {info.data['format']} are fixed")
        if info.data["format"] == "custom" and "prompt" not in columns:
            raise ValueError("format: custom needs columns with at least a prompt, such as {prompt: question}")
        return columns
