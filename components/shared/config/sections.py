"""The parts of a pipeline config, `configs/pipelines/*.yaml`.

Paths are relative to the directory in which the command runs; `s3://` works wherever a file is read.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from components.shared.config.base_model import BaseModelRef
from components.shared.config.cluster import ClusterConfig
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.names import check_experiment_name, check_model_name, check_pipeline_name
from components.shared.config.plain_addresses import FileAddress, check_no_password
from components.shared.config.section import SEEDS, Section
from components.shared.config.sqlite_addresses import sqlite_path
from components.shared.config.variable_names import VariableName
from components.shared.vocabulary import Expectation

DEFAULT_SPLIT = "train"
"""The split of a data set on the hub that is read if the config names none."""


def check_place(address: str) -> str:
    """The address of a store, if it is a directory or an S3 prefix.

    Raises:
        ValueError: it is neither.
    """
    if "://" in address and not re.match(r"s3://[^/]+/.", address):
        raise ValueError("a store must be a directory or s3://BUCKET/PREFIX")
    return address


def _check_hub_address(address: str, subset: str | None, split: str | None) -> None:
    if address.startswith("hub://"):
        if re.fullmatch(r"hub://[^/@]+/[^/@]+@[^/]+(/.+)?", address) is None:
            raise ValueError(
                f"{address!r} is no data set on the hub; expected hub://ORG/NAME@REVISION, REVISION a commit, tag or "
                "branch"
            )
        if address.count("/") > 3 and (subset is not None or split is not None):
            raise ValueError("subset and split belong to a whole data set; the address names one file: remove them")
    elif subset is not None or split is not None:
        raise ValueError(f"subset and split belong to a data set hub://ORG/NAME@REVISION; the rows are in {address!r}")


class Columns(Section):
    """The columns of rows whose prompt and completion have other names."""

    prompt: str = Field(min_length=1, description="Column of the user's text.")
    completion: str = Field(min_length=1, description="Column of the assistant's answer.")
    system: str | None = Field(default=None, min_length=1, description="Column of the system prompt; null: none.")
    intent: str | None = Field(default=None, min_length=1, description="Column of the intent; null: none.")

    @property
    def mapping(self) -> dict[str, str]:
        """The column of each part that has one."""
        return {own: name for own, name in self.model_dump().items() if name is not None}


class MixSource(Section):
    """Rows mixed with the task rows, to protect behaviour that the task does not train."""

    path: FileAddress = Field(
        min_length=1, description="Rows: a file, a folder or a data set on the hub, as in data.train."
    )
    role: Literal["safety", "replay"] = Field(
        description="safety: requests that must be refused or handled with care. replay: ordinary benign chats."
    )
    share: float = Field(
        gt=0, lt=1, description="Share of these rows in the final training set (0.2 = one row in five)."
    )
    columns: Columns | None = Field(default=None, description="As data.columns, for these rows.")
    subset: str | None = Field(default=None, min_length=1, description="As data.subset, for these rows.")
    split: str | None = Field(default=None, min_length=1, description="As data.split, for these rows.")

    @model_validator(mode="after")
    def _of_the_hub(self) -> Self:
        _check_hub_address(self.path, self.subset, self.split)
        return self


class DataConfig(Section):
    """The training rows."""

    train: FileAddress = Field(
        min_length=1,
        description="The task's rows: JSONL, JSON, CSV, Parquet or Arrow, a file or a folder of them, a path or s3://; "
        "or a data set on the hub, hub://ORG/NAME@REVISION, the revision best a commit.",
    )
    subset: str | None = Field(
        default=None,
        min_length=1,
        description="Configuration of a data set on the hub, the second argument of datasets.load_dataset; null: the "
        "only or default one.",
    )
    split: str | None = Field(default=None, min_length=1, description="Split of a data set on the hub; null: train.")
    format: Literal["auto", "chat", "sharegpt", "prompt_completion", "alpaca"] = Field(
        default="auto", description="Row format; auto detects it from the keys of each file's first row."
    )
    columns: Columns | None = Field(
        default=None,
        description="Columns of the task's rows, where they are not named as in a format, such as "
        "{prompt: question, completion: answer}; null: the format's names.",
    )
    mix: tuple[MixSource, ...] = Field(default=(), description="Safety and replay rows.")
    heldout_rows: int = Field(
        default=100,
        ge=0,
        description="Task rows held out of training, for the task metric before and after; 0: none.",
    )
    task_metric: Literal["exact", "numeric", "token_f1", "rouge_l", "nll", "judge"] = Field(
        default="exact",
        description="How answers to held-out rows are compared with the rows' own. exact: equal up to case and "
        "spacing. numeric: the same last number. token_f1, rouge_l: the share of common words, for free texts. nll: "
        "the negative log-likelihood of the row's answer; nothing is drawn. judge: a judge of evaluation.judges with "
        "role verdict that reads expectation judged.",
    )
    rare_intent_rows: int = Field(
        default=0,
        ge=0,
        description="Task rows of the rarest intents, held out of training and asked as category rare_intent; 0: none.",
    )
    system_turns: Literal["refuse", "fold"] = Field(
        default="refuse",
        description="What happens to system turns of rows if the base's chat template refuses or drops them. refuse: "
        "an error. fold: the system text is put before the first user turn.",
    )
    seed: int = Field(default=0, ge=0, lt=SEEDS, description="Seed of split, sampling and order.")

    @property
    def task_expectation(self) -> Expectation:
        """What held-out rows expect of an answer."""
        named = {"nll": Expectation.LIKELIHOOD, "judge": Expectation.JUDGED}
        return named.get(self.task_metric) or Expectation(self.task_metric)

    @field_validator("mix")
    @classmethod
    def _room_for_the_task(cls, mix: tuple[MixSource, ...]) -> tuple[MixSource, ...]:
        if (total := sum(source.share for source in mix)) >= 1:
            raise ValueError(f"the shares add up to {total:g}; expected less than 1, to leave room for the task rows")
        return mix

    @model_validator(mode="after")
    def _of_the_hub(self) -> Self:
        _check_hub_address(self.train, self.subset, self.split)
        return self


class Recipe(Section):
    """The training hyper-parameters of the LoRA fine-tuning."""

    lora_rank: int = Field(default=16, ge=1, le=4096, description="Rank r of the update matrices.")
    lora_alpha: int = Field(default=32, ge=1, le=1_000_000, description="Scale: the update is multiplied by alpha / r.")
    lora_dropout: float = Field(default=0.0, ge=0, lt=1, description="Dropout before the update.")
    target_modules: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=("all-linear",), min_length=1, description="Names of modules, or all-linear for every linear layer."
    )
    learning_rate: float = Field(default=2e-4, gt=0, description="Peak learning rate.")
    lr_scheduler: Literal["constant", "linear", "cosine"] = Field(
        default="cosine", description="Schedule after the warm-up."
    )
    warmup_steps: int = Field(default=0, ge=0, description="Steps of linear warm-up.")
    weight_decay: float = Field(default=0.0, ge=0, description="AdamW weight decay.")
    epochs: float = Field(default=1.0, gt=0, le=10_000, description="Passes over the training rows.")
    max_steps: int | None = Field(default=None, ge=1, description="Stop after this many steps.")
    batch_size: int = Field(default=16, ge=1, le=1_000_000, description="Rows per step and device.")
    gradient_accumulation: int = Field(default=1, ge=1, description="Steps per update.")
    max_length: int = Field(
        default=1024, ge=8, le=10_000_000, description="Longest row, tokens; a longer row is an error and is never cut."
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="auto: bfloat16 on a GPU, float32 on a CPU."
    )
    gradient_checkpointing: bool = Field(default=False, description="Recompute activations: slower, but less memory.")
    seed: int = Field(default=0, ge=0, lt=SEEDS, description="Seed of initialisation, order and dropout.")


class CheckpointConfig(Section):
    """Checkpoints that an interrupted training continues from. They do not change the adapter."""

    every_minutes: float | None = Field(
        default=10.0, ge=0, description="Minutes between two checkpoints; 0: after every step; null: no checkpoints."
    )
    store: FileAddress | None = Field(
        default=None,
        min_length=1,
        description="Where checkpoints are kept until training has finished: directory or s3://; null: the store.",
    )

    @field_validator("store")
    @classmethod
    def _known_place(cls, address: str | None) -> str | None:
        return check_place(address) if address is not None else None


class RegistryConfig(Section):
    """Where a promoted adapter goes."""

    model_name: str = Field(min_length=1, description="Registered model in MLflow.")

    @field_validator("model_name")
    @classmethod
    def _name_for_mlflow(cls, name: str) -> str:
        return check_model_name(name)


class TrackingConfig(Section):
    """The MLflow store."""

    uri: str = Field(
        default="sqlite:///.plimsoll/mlflow.db",
        description="sqlite:///path on one machine, with %25 for % and %3F for ? in the path; http(s):// or "
        "postgresql://USER@HOST/DATABASE on a cluster. Never with a password: those come from the environment, "
        "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD or PGPASSWORD.",
    )
    experiment: str = Field(default="plimsoll", min_length=1, description="MLflow experiment.")
    audit_log: FileAddress = Field(
        default=".plimsoll/audit.jsonl",
        min_length=1,
        description="Append-only log of decisions and approvals: a local JSONL file, or s3://bucket/prefix.",
    )

    @field_validator("experiment")
    @classmethod
    def _name_for_mlflow(cls, name: str) -> str:
        return check_experiment_name(name)

    @field_validator("uri")
    @classmethod
    def _known_scheme(cls, uri: str) -> str:
        if not re.match(r"(sqlite:///|https?://|postgresql)", uri):
            raise ValueError("the MLflow store must be sqlite:///PATH, postgresql://... or http(s)://...")
        if uri.startswith("sqlite") and (database := sqlite_path(uri)) is not None and not database.name:
            raise ValueError("names no file; expected one such as sqlite:///.plimsoll/mlflow.db")
        try:
            parts = urlsplit(uri)
            if uri.startswith("http") and not (parts.hostname and parts.port != 0):
                raise ValueError("it names no host")
        except ValueError as error:
            raise ValueError(f"is no address ({error}); expected one such as http://mlflow:5000") from None
        if uri.startswith("http"):
            return check_no_password(uri, "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD")
        return check_no_password(uri, "keep the user, and set PGPASSWORD", user_allowed=True)

    @field_validator("audit_log")
    @classmethod
    def _known_place(cls, address: str) -> str:
        if "://" in address and not re.match(r"s3://[^/]+/.", address):
            raise ValueError("the audit log must be a local path or s3://BUCKET/PREFIX")
        return address

    @property
    def sqlite_file(self) -> Path | None:
        """The database file of a sqlite store; None for a server."""
        return sqlite_path(self.uri)


class PipelineConfig(Section):
    """One pipeline: a base model, data, a recipe, suites and the policy that decides."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        description="Name of the pipeline: at most 63 lower-case letters, digits and hyphens; no hyphen at the end.",
    )
    note: str = Field(
        default="",
        max_length=500,
        description="Shown with every table and figure of this pipeline, such as a warning.",
    )
    base_model: BaseModelRef = Field(description="The aligned model.")
    data: DataConfig = Field(description="Training rows.")
    suites: tuple[FileAddress, ...] = Field(min_length=1, description="Suite files (YAML): paths or s3://.")
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig, description="How both sides are asked.")
    recipe: Recipe = Field(default_factory=Recipe, description="How the adapter is trained.")
    policy: FileAddress = Field(min_length=1, description="Policy file (YAML): path or s3://.")
    registry: RegistryConfig = Field(description="Where a promoted adapter goes.")
    tracking: TrackingConfig = Field(default_factory=TrackingConfig, description="The MLflow store.")
    store: FileAddress = Field(
        default=".plimsoll/store",
        min_length=1,
        description="Content-addressed store of safety reports and adapters: directory or s3://.",
    )
    store_key_env: VariableName | None = Field(
        default=None,
        description="NAME of the environment variable that holds the key which signs the store's entries, at least 32 "
        "characters, never the key; entries without a valid signature are refused. Null: entries are not signed.",
    )
    reuse: bool = Field(
        default=True,
        description="Take a safety report or adapter from the store if all of its inputs are unchanged.",
    )
    checkpoints: CheckpointConfig = Field(
        default_factory=CheckpointConfig, description="Checkpoints that an interrupted training continues from."
    )
    cluster: ClusterConfig = Field(
        default_factory=ClusterConfig, description="Resources and settings on a cluster; a local run ignores it."
    )

    @field_validator("store")
    @classmethod
    def _known_place(cls, address: str) -> str:
        return check_place(address)

    @field_validator("name")
    @classmethod
    def _name_for_pods(cls, name: str) -> str:
        return check_pipeline_name(name)

    def addresses(self) -> dict[str, str]:
        """Every file and directory in the config, by field."""
        named = {"path": self.base_model.path, "ancestor_report": self.base_model.ancestor_report}
        base = {f"base_model.{name}": address for name, address in named.items() if address is not None}
        mix = {f"data.mix.{index}.path": source.path for index, source in enumerate(self.data.mix)}
        suites = {f"suites.{index}": suite for index, suite in enumerate(self.suites)}
        kept = {"store": self.store, "tracking.audit_log": self.tracking.audit_log}
        if self.checkpoints.store is not None:
            kept["checkpoints.store"] = self.checkpoints.store
        return {**base, "data.train": self.data.train, **mix, **suites, **kept}
