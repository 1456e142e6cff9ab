"""Checks a model's files before they are loaded, without reading a weight: what transformers would accept silently."""

import json
from pathlib import Path
from typing import Any

from components.shared.errors import ConfigError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def check_base_files(directory: Path, subject: str = "base model") -> None:
    """Checks that a directory holds one whole model in safetensors, and no adapter.

    Args:
        directory: of the model.
        subject: what the model is, for messages.

    Raises:
        ConfigError: it does not.
    """
    where = f"{subject} {directory}"
    if adapter := sorted(path.name for path in directory.glob("adapter_*")):
        raise ConfigError(
            f"{where}: holds {', '.join(adapter)}; transformers would silently load this adapter with the model; move "
            "it to a folder of its own"
        )
    for name in weight_files(directory, where):
        _check_weight_file(directory / name, where)


def weight_files(directory: Path, where: str) -> list[str]:
    """The names of the files that transformers would read: the single one, or those that the index names.

    Args:
        directory: of the model.
        where: what the model is, for messages.

    Raises:
        ConfigError: one is missing, or the index names a file elsewhere.
    """
    if (directory / SINGLE).is_file():
        return [SINGLE]
    if not (directory / INDEX).is_file():
        pickled = sorted(path.name for pattern in _PICKLED for path in directory.glob(pattern))
        only = f" but {', '.join(pickled[:3])}, which may run code when it is read" if pickled else ""
        raise ConfigError(
            f"{where}: holds no {SINGLE} and no {INDEX}{only}; expected weights in safetensors, which "
            "`save_pretrained` of transformers writes"
        )
    named = json_object(directory / INDEX).get("weight_map")
    if not isinstance(named, dict) or not named:
        raise ConfigError(f"{where}: {INDEX} has no weight_map; expected the file of every tensor; download it again")
    names = sorted({str(name) for name in named.values()})
    for name in names:
        if Path(name).name != name or "\\" in name:
            raise ConfigError(f"{where}: {INDEX} names {name!r}; expected files of the same directory, without a path")
        if not (directory / name).is_file():
            raise ConfigError(f"{where}: lacks {name}, which {INDEX} names; download the model again")
    return names


def _check_weight_file(path: Path, where: str) -> None:
    """Compares the length of a safetensors file with its header: 8 bytes of length, JSON, then the tensors."""
    size = path.stat().st_size
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > size:
                raise ValueError("the header is longer than the file")
            header = json.loads(stream.read(length))
        ends = [int(tensor["data_offsets"][1]) for name, tensor in header.items() if name != "__metadata__"]
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ConfigError(
            f"{where}: {path.name} is no safetensors file ({error}), perhaps an unfinished download or a git-lfs "
            "pointer; download it again"
        ) from None
    if size != (expected := 8 + length + max(ends, default=0)):
        raise ConfigError(
            f"{where}: {path.name} has {size:,} bytes, but its header says {expected:,}; download it again"
        )


def json_object(path: Path) -> dict[str, Any]:
    """A JSON object; empty if there is no such file.

    Raises:
        ConfigError: the file holds something else.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: holds {type(content).__name__}; expected a JSON object")
    return content
