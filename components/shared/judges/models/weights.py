"""A judge's model before it is loaded: its directory, identity, device and dtype; and batches that fit in memory."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from components.shared.config.base_model import BaseModelRef
from components.shared.errors import ConfigError, ModelError
from components.shared.generation.base_models import base_digest, fetch_hub_model
from components.shared.progress import warn

Item = TypeVar("Item")
Result = TypeVar("Result")


def model_identity(judge: str, model: BaseModelRef) -> str:
    """What identifies a judge's model: the digest of its files, or hub id and revision.

    Raises:
        ConfigError: the directory holds no model.
    """
    if model.path is None:
        return model.name
    return base_digest(_checked(judge, Path(model.path)))


def locate_model(judge: str, model: BaseModelRef) -> Path:
    """The directory of a judge's model; a hub model is downloaded to the cache first.

    Raises:
        ConfigError: the directory holds no model.
        ModelError: the hub model cannot be downloaded.
    """
    if model.path is not None:
        return _checked(judge, Path(model.path))
    try:
        return fetch_hub_model(model)
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"judge {judge!r}: model {model.name} cannot be downloaded: {error}") from None


class Placement(NamedTuple):
    """The torch device and dtype of a model."""

    device: str
    dtype: str


def placement(dtype: str) -> Placement:
    """The device of this machine, and the dtype that `auto` means on it: bfloat16 on a GPU, float32 on a CPU."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Placement(device, ("bfloat16" if device == "cuda" else "float32") if dtype == "auto" else dtype)


def in_halves(judge: str, batch: Sequence[Item], run: Callable[[Sequence[Item]], list[Result]]) -> list[Result]:
    """The results of a batch; one that does not fit in the GPU's memory is run in two halves, with a warning.

    Raises:
        ModelError: a single item does not fit.
    """
    import torch

    try:
        return run(batch)
    except torch.OutOfMemoryError:
        if len(batch) == 1:
            raise ModelError(
                f"judge {judge!r}: one text does not fit in the GPU's memory; lower its max_length"
            ) from None
    torch.cuda.empty_cache()
    warn(f"judge {judge!r}: {len(batch)} texts do not fit in the GPU's memory; trying again with half as many")
    middle = len(batch) // 2
    return in_halves(judge, batch[:middle], run) + in_halves(judge, batch[middle:], run)


def _checked(judge: str, directory: Path) -> Path:
    if not (directory / "config.json").is_file():
        state = f"holds {sorted(path.name for path in directory.iterdir())}" if directory.is_dir() else "does not exist"
        raise ConfigError(
            f"judge {judge!r}: model.path {str(directory)!r} {state}; expected a directory with config.json, weights "
            "and tokenizer"
        )
    return directory
