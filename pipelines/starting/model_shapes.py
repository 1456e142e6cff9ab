"""Reads how large a base model is from its config and the headers of its safetensors files; no weight is read.

For a hub model that is not on this machine the hub is asked for the headers.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from components.shared.config.base_model import BaseModelRef
from components.shared.errors import ConfigError
from components.shared.generation.base_checks import json_object, weight_files
from components.shared.generation.base_models import cached_base_model

_NOT_LINEAR = ("embed", "lm_head", "wte", "wpe", "router", "vision", "visual")
"""Parts of names of two-dimensional tensors that all-linear does not reach."""


class Linear(NamedTuple):
    """A linear layer: its last name, and its two sizes."""

    name: str
    inputs: int
    outputs: int


class ModelShape(NamedTuple):
    """Sizes of a model.

    Attributes:
        parameters: of all tensors.
        linears: the linear layers of the language model.
        layers: of the language model.
        hidden: width of a layer.
        vocabulary: tokens.
        kv_width: numbers that one layer keeps per token for its keys, and the same for its values.
    """

    parameters: int
    linears: tuple[Linear, ...]
    layers: int
    hidden: int
    vocabulary: int
    kv_width: int


def shape_of(base: BaseModelRef) -> ModelShape:
    """The sizes of a base model.

    Raises:
        ConfigError: its files are not those of one whole model, config.json does not name the sizes, or the hub does
            not give them.
    """
    directory = cached_base_model(base)
    if directory is not None:
        return shape_from(json_object(directory / "config.json"), dict(_local_tensors(directory)))
    try:
        return _hub_shape(base)
    except ConfigError:
        raise
    except Exception as error:  # noqa: BLE001 - the hub's client hands on whatever its HTTP library raises
        reason = (str(error) or type(error).__name__).partition("\n")[0]
        raise ConfigError(f"{base.name} is not on this machine, and the hub does not say: {reason}") from None


def shape_from(config: Mapping[str, Any], tensors: Mapping[str, Sequence[int]]) -> ModelShape:
    """The sizes of a model.

    Args:
        config: the content of config.json; of a model with a vision tower the part for text counts.
        tensors: shape of each tensor.

    Raises:
        ConfigError: config.json does not name the sizes.
    """
    text = config.get("text_config") or config
    try:
        heads = int(text["num_attention_heads"])
        hidden = int(text["hidden_size"])
        return ModelShape(
            parameters=sum(prod(shape) for shape in tensors.values()),
            linears=tuple(_linears(tensors)),
            layers=int(text["num_hidden_layers"]),
            hidden=hidden,
            vocabulary=int(text["vocab_size"]),
            kv_width=int(text.get("num_key_value_heads") or heads) * int(text.get("head_dim") or hidden // heads),
        )
    except KeyError as error:
        raise ConfigError(f"config.json of the base model does not name {error.args[0]!r}") from None


def _linears(tensors: Mapping[str, Sequence[int]]) -> Iterator[Linear]:
    for name, shape in tensors.items():
        if len(shape) == 2 and name.endswith(".weight") and not any(part in name for part in _NOT_LINEAR):
            yield Linear(name.removesuffix(".weight").rpartition(".")[2], shape[1], shape[0])


def _local_tensors(directory: Path) -> Iterator[tuple[str, Sequence[int]]]:
    for name in weight_files(directory, "base model"):
        with (directory / name).open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        yield from ((tensor, facts["shape"]) for tensor, facts in header.items() if tensor != "__metadata__")


def _hub_shape(base: BaseModelRef) -> ModelShape:
    from huggingface_hub import HfApi, hf_hub_download

    metadata = HfApi().get_safetensors_metadata(str(base.hub_id), revision=base.revision)
    tensors = {name: tensor.shape for file in metadata.files_metadata.values() for name, tensor in file.tensors.items()}
    with TemporaryDirectory() as directory:  # not into the cache, where a part of a model would look like a whole one
        path = hf_hub_download(str(base.hub_id), "config.json", revision=base.revision, local_dir=directory)
        config = json_object(Path(path))
    return shape_from(config, tensors)
