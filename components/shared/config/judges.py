"""Judges that are models, `configs/judges/*.yaml`: a classifier, a generative guard, or an LLM behind an endpoint.

A pipeline config lists them; they are added to the judges that are rules.
"""

from typing import Annotated, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator

from components.shared.config.base_model import BaseModelRef
from components.shared.config.section import Section
from components.shared.config.variable_names import VariableName
from components.shared.texts.timed_pattern import compile_pattern
from components.shared.vocabulary import Expectation, Verdict

Dtype = Literal["auto", "float32", "bfloat16"]

TEMPLATE_NAMES = frozenset({"prompt", "answer", "system", "messages", "caveats", "reference"})
"""What a judge's template may use."""

_JudgeName = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        description="Short name, such as toxicity: lower case, digits, _ and -. Unique among judges.",
    ),
]
_Role = Annotated[
    Literal["opinion", "verdict"],
    Field(
        description="verdict: it gives the verdict for these expectations. opinion: shown beside the verdict and "
        "counted separately."
    ),
]
_Expectations = Annotated[
    tuple[Annotated[Expectation, Field(strict=False)], ...],
    Field(min_length=1, description="Which answers it reads: those to prompts with these expectations."),
]


def _label_verdict(verdict: Verdict) -> Verdict:
    if verdict is Verdict.INCOHERENT:
        raise ValueError("only the coherence judge says incoherent; expected pass, partial, fail or unscored")
    return verdict


def _template(template: str) -> str:
    from jinja2 import Environment, TemplateSyntaxError, meta

    try:
        used = meta.find_undeclared_variables(Environment(autoescape=False).parse(template))  # noqa: S701 - plain text
    except TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno} is no Jinja template: {error.message}") from None
    if unknown := sorted(used - TEMPLATE_NAMES):
        raise ValueError(f"uses {', '.join(unknown)}; expected {', '.join(sorted(TEMPLATE_NAMES))}")
    if "answer" not in used:
        raise ValueError("does not use {{ answer }}; add it, or the judge does not see the answer")
    return template


def _pattern(pattern: str) -> str:
    compile_pattern(pattern)
    return pattern


_Template = Annotated[str, AfterValidator(_template)]
_Parse = Annotated[
    str,
    AfterValidator(_pattern),
    Field(
        description="Regular expression (Python) that the whole reply must match, with a group (?P<label>...) and/or "
        "(?P<score>...). Begin it with (?s).* if the judge reasons before it answers. A reply that it does not "
        "decide within a second is unscored."
    ),
]
_Labels = dict[str, Annotated[Verdict, Field(strict=False), AfterValidator(_label_verdict)]]


class ClassifierConfig(Section):
    """A Hugging Face sequence classifier: the probability of one label is the score, and higher is worse."""

    kind: Literal["classifier"]
    name: _JudgeName
    role: _Role = "opinion"
    expectations: _Expectations
    model: BaseModelRef = Field(description="Directory, or hub_id and revision.")
    label: str = Field(min_length=1, description="The label, among the model's id2label, whose probability is used.")
    activation: Literal["auto", "softmax", "sigmoid"] = Field(
        default="auto", description="auto: sigmoid for a multi-label or single-label model, else softmax."
    )
    fail_at: float = Field(gt=0, le=1, description="A probability at or above this fails.")
    partial_at: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="A probability at or above this, and below fail_at, is partial; null: never."
    )
    reads: Literal["answer", "exchange"] = Field(
        default="answer", description="answer: the answer alone. exchange: prompt and answer, as a text pair."
    )
    max_length: int | None = Field(
        default=None,
        ge=16,
        description="Tokens read at once; null: as many as the model takes. A longer answer is read in overlapping "
        "windows and the highest probability counts; a prompt above half of it loses its middle.",
    )
    batch_size: int = Field(default=32, ge=1, description="Texts per forward pass.")
    dtype: Dtype = Field(default="auto", description="auto: bfloat16 on a GPU, float32 on a CPU.")

    @model_validator(mode="after")
    def _partial_is_below_fail(self) -> Self:
        if self.partial_at is not None and self.partial_at >= self.fail_at:
            raise ValueError(f"partial_at is {self.partial_at:g}; expected less than fail_at, {self.fail_at:g}")
        return self


class GuardConfig(Section):
    """A generative safety model that writes a label, such as Llama Guard; asked greedily."""

    kind: Literal["guard"]
    name: _JudgeName
    role: _Role = "opinion"
    expectations: _Expectations
    model: BaseModelRef = Field(description="Directory, or hub_id and revision.")
    template: _Template | None = Field(
        default=None,
        description="Jinja template of the text that it completes, with {{ prompt }} and {{ answer }}; null: the "
        "tokenizer's own chat template over the earlier turns, the prompt and the answer.",
    )
    parse: _Parse = r"(?s)\s*(?P<label>safe|unsafe)\b.*"
    labels: _Labels = Field(
        default_factory=lambda: {"safe": Verdict.PASS, "unsafe": Verdict.FAIL},
        min_length=1,
        description="Verdict by parsed label, case ignored. Quote yes and no: bare, they are true and false in YAML.",
    )
    max_new_tokens: int = Field(default=16, ge=1, le=4096, description="Length limit of its reply, tokens.")
    max_length: int | None = Field(
        default=None, ge=16, description="Longest text that it reads, tokens; null: its context. Longer is unscored."
    )
    batch_size: int = Field(default=16, ge=1, description="Texts per batch.")
    dtype: Dtype = Field(default="auto", description="auto: bfloat16 on a GPU, float32 on a CPU.")

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        _check_parse(self.parse, self.labels, scaled=False)
        return self


class ScoreScale(Section):
    """How a score becomes a verdict. Use the fields in _below if low is bad, those in _at if high is bad."""

    lowest: float = Field(default=0.0, description="Smallest possible score; a score outside is unscored.")
    highest: float = Field(default=100.0, description="Largest possible score.")
    fail_below: float | None = Field(default=None, description="Low is bad: a score below this fails.")
    partial_below: float | None = Field(default=None, description="A score from fail_below to below this is partial.")
    fail_at: float | None = Field(default=None, description="High is bad: a score at or above this fails.")
    partial_at: float | None = Field(default=None, description="A score from this to below fail_at is partial.")

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if (self.fail_below is None) == (self.fail_at is None):
            raise ValueError("give exactly one of fail_below (low is bad) and fail_at (high is bad)")
        if self.fail_below is not None:
            if self.partial_at is not None:
                raise ValueError("partial_at goes with fail_at; with fail_below use partial_below")
            thresholds = [self.fail_below, self.partial_below]
        else:
            if self.partial_below is not None:
                raise ValueError("partial_below goes with fail_below; with fail_at use partial_at")
            thresholds = [self.partial_at, self.fail_at]
        steps = [threshold for threshold in thresholds if threshold is not None]
        if not (self.lowest < steps[0] and steps[-1] <= self.highest and steps == sorted(set(steps))):
            fields = self.model_dump(exclude_none=True)
            raise ValueError(f"got {fields}; expected lowest < thresholds in ascending order <= highest")
        return self


class LlmConfig(Section):
    """A language model behind an OpenAI-compatible endpoint (`POST URL/chat/completions`)."""

    kind: Literal["llm"]
    name: _JudgeName
    role: _Role = "opinion"
    expectations: _Expectations
    url: str = Field(description="Base URL of the API, such as http://judge:8000/v1. Not part of the judge's version.")
    model: str = Field(
        min_length=1, description="The endpoint's name of the model. Choose a dated name, not an alias that moves."
    )
    api_key_env: VariableName | None = Field(
        default=None, description="NAME of the environment variable that holds the key, never the key; null: no key."
    )
    system: str | None = Field(default=None, description="System message, as it is.")
    template: _Template = Field(description="Jinja template of the user message, with {{ prompt }} and {{ answer }}.")
    parse: _Parse
    labels: _Labels | None = Field(
        default=None,
        min_length=1,
        description="Verdict by parsed label, case ignored. Quote yes and no: bare, they are true and false in YAML.",
    )
    scale: ScoreScale | None = Field(default=None, description="Verdict by parsed score.")
    temperature: float | None = Field(default=0.0, ge=0, description="Sampling temperature; null: not sent.")
    seed: int | None = Field(default=0, description="Sampling seed; null: not sent.")
    max_new_tokens: int | None = Field(default=512, ge=1, description="Sent as max_tokens; null: not sent.")
    extra: dict[str, JsonValue] = Field(
        default_factory=dict, description="Further fields of the request, such as max_completion_tokens."
    )
    timeout_s: float = Field(default=60.0, gt=0, description="Longest silence of the endpoint in one try, seconds.")
    retries: int = Field(
        default=6,
        ge=0,
        description="Tries after the first, on 408, 409, 429, 5xx, timeouts, lost connections and replies that are "
        "no chat completion. It waits 0.5 s, then double up to 8 s, or what Retry-After says; above 120 s it gives up.",
    )
    concurrency: int = Field(default=8, ge=1, le=256, description="Most requests at the same time.")

    @field_validator("url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError for a wrong port
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("expected http://HOST/... or https://HOST/..., such as http://judge:8000/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("a URL may hold no user, password or query: keys come from api_key_env")
        return url.rstrip("/").removesuffix("/chat/completions")

    @field_validator("extra")
    @classmethod
    def _nothing_twice(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if taken := sorted(set(extra) & {"model", "messages", "temperature", "seed", "max_tokens", "stream", "n"}):
            raise ValueError(f"extra may not hold {', '.join(taken)}: use the fields of this section, or leave it out")
        return extra

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.labels is None and self.scale is None:
            raise ValueError("give labels, scale or both: how a reply becomes a verdict")
        _check_parse(self.parse, self.labels or {}, scaled=self.scale is not None)
        return self


JudgeConfig = Annotated[ClassifierConfig | GuardConfig | LlmConfig, Field(discriminator="kind")]
"""One judge; `kind` says which."""

JUDGE_KINDS: dict[str, type[ClassifierConfig] | type[GuardConfig] | type[LlmConfig]] = {
    get_args(section.model_fields["kind"].annotation)[0]: section
    for section in (ClassifierConfig, GuardConfig, LlmConfig)
}
"""The section of each kind."""


def _check_parse(parse: str, labels: _Labels, scaled: bool) -> None:
    groups = set(compile_pattern(parse).groupindex)
    needed = ({"label"} if labels else set()) | ({"score"} if scaled else set())
    if groups != needed:
        expected = " and ".join(f"(?P<{name}>...)" for name in sorted(needed))
        raise ValueError(f"parse: has the groups {sorted(groups)}; expected {expected}")
    if len({label.strip().casefold() for label in labels}) < len(labels):
        raise ValueError(f"labels: {sorted(labels)} differ by case or spacing only, which are ignored")
    for label in sorted({"true", "false"} & set(labels)):
        if label not in parse.casefold():
            raise ValueError(f"labels: {label!r} does not occur in parse; quote yes, no, on and off in YAML")
