"""The section `evaluation:` of a pipeline config: how both sides are asked and judged."""

import datetime
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from components.shared.config.judges import JudgeConfig
from components.shared.config.section import SEEDS, Section

DEFAULT_DATE = datetime.date(2025, 1, 1)
"""The day that chat templates print as today unless a config names another: fixed, so no run depends on its day."""


class EvaluationConfig(Section):
    """How both sides are asked and judged; whatever changes an answer or a verdict is part of the contract."""

    samples_per_prompt: int = Field(default=5, ge=1, le=1000, description="Answers per prompt (k).")
    max_new_tokens: int = Field(default=256, ge=1, le=1_000_000, description="Length limit of an answer, tokens.")
    temperature: float = Field(
        default=0.7, ge=0, le=10, description="Sampling temperature; 0 is greedy (needs samples_per_prompt: 1)."
    )
    top_p: float = Field(default=1.0, ge=0.001, le=1, description="Nucleus sampling; 1 is off.")
    seed: int = Field(default=0, ge=0, lt=SEEDS, description="Seed of the sampled answers.")
    system_prompt: str | None = Field(default=None, description="System prompt, for suite prompts that have none.")
    system_turns: Literal["refuse", "fold"] = Field(
        default="refuse",
        description="What happens to system turns that the base's chat template refuses or drops. refuse: an error. "
        "fold: the system text is put before the first user turn.",
    )
    thinking: Literal["off", "on", "as_is"] = Field(
        default="as_is",
        description="Whether a model that can think first does so; as_is: as its chat template does by default. "
        "Training, evaluation and serving use the same.",
    )
    template_arguments: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Further arguments of the base's chat template, such as reasoning_effort: low.",
    )
    date: datetime.date = Field(
        default=DEFAULT_DATE,
        description="The day that a chat template prints as today, in training, evaluation, replay and serving alike.",
    )
    batch_tokens: int = Field(
        default=16_384,
        ge=1,
        description="Budget of one batch: prompts x answers x (longest prompt + max_new_tokens).",
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="auto: bfloat16 on a GPU, float32 on a CPU."
    )
    engine: Literal["auto", "refill", "generate", "continuous"] = Field(
        default="auto",
        description="refill: our decode loop, which refills finished rows. generate, continuous: the batches of "
        "transformers. auto: refill on a CPU if the model allows it, else generate.",
    )
    coherence: Literal["log_probability", "rules"] = Field(
        default="log_probability",
        description="How incoherent answers are detected. rules: by repetition and broken text. log_probability: also "
        "answers that the base model finds as unlikely as its own answers with shuffled words.",
    )
    judges: tuple[JudgeConfig, ...] = Field(
        default=(), description="Judges that are models, besides the rules: a classifier, a guard or an LLM."
    )
    judge_checks: str = Field(
        default=".plimsoll/judges",
        pattern=r"^[^:]+$",
        description="Local directory in which `plimsoll judge check` stores its results; the report quotes them.",
    )
    probes: bool = Field(
        default=True,
        description="Measure how likely refusals and references are, and how the first tokens' probabilities change.",
    )
    noise_floor: bool = Field(
        default=True,
        description="An A/A pass: the base is asked everything a second time with another seed, so that every drop "
        "can be compared with the noise; stored with the baseline's answers.",
    )
    chunk_answers: int = Field(
        default=1000,
        ge=1,
        description="Answers that are drawn and stored together; an interrupted evaluation repeats at most these.",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes of one task that share its chunks, each with one GPU if there are any.",
    )
    shards: int = Field(
        default=1, ge=1, le=64, description="Tasks in the graph that share the chunks of one side, for large suites."
    )

    @model_validator(mode="after")
    def _greedy_has_one_answer(self) -> Self:
        if self.temperature == 0 and self.samples_per_prompt > 1:
            raise ValueError(
                f"temperature 0 gives {self.samples_per_prompt} equal answers: set samples_per_prompt to 1, or "
                "temperature above 0"
            )
        return self
