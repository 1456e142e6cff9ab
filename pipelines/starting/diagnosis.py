"""Looks at everything on this machine that a run depends on, and says what is missing and how to get it.

Names of credentials are shown, never their values.
"""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from components.shared.config.judges import LlmConfig
from components.shared.config.sections import PipelineConfig
from components.shared.errors import ConfigError
from components.shared.generation.base_models import cached_base_model
from pipelines.running.mounts import model_cache
from pipelines.running.preflight import FREE_BYTES, existing_parent
from pipelines.starting.devices import Device, gpus, main_memory
from pipelines.starting.memory_needs import MemoryNeed, bytes_of, evaluation_need, size_text, training_need
from pipelines.starting.model_shapes import ModelShape, shape_of

State = Literal["ok", "warning", "problem"]

_SOFTWARE = ("plimsoll-pipelines", "kfp", "mlflow")
_TRAINING = ("torch", "transformers", "peft", "trl")
_AWS = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
_MLFLOW = ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME")
_LARGE = 500_000_000
"""Parameters from which a model is slow without a GPU."""


class Symptom(NamedTuple):
    """One line of the diagnosis.

    Attributes:
        subject: what was looked at.
        state: ok; warning: may stop a run, make it slow or leave something open; problem: stops a run.
        found: what was found.
        cure: what to do; empty if ok, or if `found` says it.
    """

    subject: str
    state: State
    found: str
    cure: str = ""


def machine_symptoms(for_cluster: bool) -> Iterator[Symptom]:
    """What does not depend on a config: versions, devices, free disk, container tools.

    Args:
        for_cluster: whether this machine only compiles and submits, so that it needs no torch.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] < (3, 14):
        yield Symptom("Python", "ok", version)
    else:
        yield Symptom("Python", "problem", version, "use Python 3.11, 3.12 or 3.13")
    yield from (_version(name, "problem") for name in _SOFTWARE)
    yield from (_version(name, "warning" if for_cluster else "problem") for name in _TRAINING)
    found = gpus()
    yield from (Symptom("GPU", "ok", _shown(device)) for device in found)
    if not found:
        yield Symptom("GPU", "ok", "none that torch sees; models run on the CPU")
    yield Symptom("memory", "ok", _shown(main_memory()))
    yield _free_disk("disk here", Path.cwd(), 0 if for_cluster else FREE_BYTES)
    tools = [tool for tool in ("docker", "podman") if shutil.which(tool)]
    yield Symptom("containers", "ok", ", ".join(tools) or "neither docker nor podman; only --runner docker needs one")


def config_symptoms(config: PipelineConfig, for_cluster: bool) -> Iterator[Symptom]:
    """What a config needs besides the preflight: memory, room for the model, credentials.

    Args:
        config: with absolute local paths.
        for_cluster: whether the steps run on a cluster.
    """
    yield from _memory(config, for_cluster)
    try:
        absent = config.base_model.hub_id is not None and cached_base_model(config.base_model) is None
    except ConfigError:  # the preflight says what is wrong with it
        absent = False
    yield from _credentials(config, os.environ, absent)


def _shown(device: Device) -> str:
    return f"{device.name}: {size_text(device.total)}, {size_text(device.free)} free"


def _version(name: str, without: State) -> Symptom:
    try:
        return Symptom(name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        extra = "[gpu]" if name in _TRAINING else ""
        return Symptom(name, without, "not installed", f"pip install 'plimsoll-pipelines{extra}', from the checkout")


def _memory(config: PipelineConfig, for_cluster: bool) -> Iterator[Symptom]:
    try:
        shape = shape_of(config.base_model)
    except ConfigError as error:
        yield Symptom("memory needed", "warning", f"unknown: {error}", "have the model's files on this machine")
        return
    found = gpus()
    on_gpu = bool(found) or for_cluster
    device = None if for_cluster else max(found, key=lambda each: each.total) if found else main_memory()
    yield Symptom("size of the model", "ok", f"{shape.parameters:,} parameters, {shape.layers} layers")
    cures = (
        "lower recipe.batch_size or max_length, set gradient_checkpointing: true, or use a larger GPU",
        "lower evaluation.batch_tokens, or use a larger GPU",
    )
    needs = (training_need(shape, config.recipe, on_gpu), evaluation_need(shape, config.evaluation, on_gpu))
    for what, need, cure in zip(("training", "evaluation"), needs, cures, strict=True):
        yield _fits(f"memory for {what}", need, device, cure)
    if not found and not for_cluster and shape.parameters > _LARGE:
        yield Symptom("GPU", "warning", "a model of this size is slow without one", "run it where there is a GPU")
    if config.base_model.hub_id is not None and not for_cluster and cached_base_model(config.base_model) is None:
        yield _download(shape)


def _fits(subject: str, need: MemoryNeed, device: Device | None, cure: str) -> Symptom:
    """The estimate against a device; only weights that do not fit are sure to stop a run."""
    if device is None:
        return Symptom(subject, "ok", need.sentence)
    found = f"{need.sentence}; {device.name} has {size_text(device.total)}"
    if need.parts["weights"] > device.total:
        return Symptom(subject, "problem", found, "the weights alone do not fit: use a smaller model or a larger GPU")
    return Symptom(subject, "warning", found, cure) if need.total > device.total else Symptom(subject, "ok", found)


def _download(shape: ModelShape) -> Symptom:
    """Room for the model's files in the hub's cache; most are published in 16 bits."""
    return _free_disk("room for the model", model_cache(), shape.parameters * bytes_of("bfloat16", on_gpu=True))


def _free_disk(subject: str, folder: Path, needed: int) -> Symptom:
    free = shutil.disk_usage(existing_parent(folder)).free
    found = f"{size_text(free)} free in {folder}, {size_text(needed)} needed"
    return Symptom(subject, "ok", found) if free >= needed else Symptom(subject, "problem", found, "make room there")


def _credentials(config: PipelineConfig, environment: Mapping[str, str], hub_needed: bool) -> Iterator[Symptom]:
    from huggingface_hub import get_token

    def given(subject: str, names: tuple[str, ...], cure: str, else_found: str) -> Symptom:
        if present := [name for name in names if environment.get(name)]:
            return Symptom(subject, "ok", f"{', '.join(present)} set")
        return Symptom(subject, "warning", else_found, cure)

    if hub_needed:
        if get_token() is not None:
            yield Symptom("hub token", "ok", "there is one")
        else:
            yield Symptom("hub token", "warning", "none", "a gated or private model needs HF_TOKEN, or `hf auth login`")
    addresses = [*config.addresses().values(), config.policy]
    if any(address.startswith("s3://") for address in addresses):
        yield given(
            "S3 credentials", _AWS, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            f"none of {', '.join(_AWS)} is set; a file or a role may still give some",
        )  # fmt: skip
    if config.tracking.uri.startswith("http"):
        yield given(
            "MLflow login", _MLFLOW, "a server with logins needs MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
            "none",
        )  # fmt: skip
    for judge in config.evaluation.judges:
        if isinstance(judge, LlmConfig) and judge.api_key_env is not None:
            name = judge.api_key_env
            yield given(f"key of judge {judge.name}", (name,), f"set {name}", f"{name} is not set")
    if config.store_key_env is not None:
        name = config.store_key_env
        yield given("key of the store", (name,), f"set {name}", f"{name} is not set")
