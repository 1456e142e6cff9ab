"""Finds a base model on disk or on the hub, and computes its digest without loading it."""

from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from components.shared.config.base_model import BaseModelRef
from components.shared.digests import digest_files
from components.shared.errors import ConfigError, ModelError

_WEIGHTS = ("config.json", "*.safetensors", "*.safetensors.index.json")
_TOKENIZER = (
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template*",
)


def cached_base_model(base: BaseModelRef) -> Path | None:
    """The directory of a base model if it is on this machine; None for a hub model that is not in the local cache.

    Raises:
        ConfigError: the directory has no model, or hub_id is not an id of the hub.
    """
    if base.path is not None:
        _check_directory(Path(base.path))
        return Path(base.path)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(str(base.hub_id), revision=base.revision, local_files_only=True))
    except HFValidationError as error:
        raise ConfigError(f"base_model.hub_id: {base.hub_id!r} is no model id, such as org/name: {error}") from None
    except LocalEntryNotFoundError:
        return None


def check_base_model(base: BaseModelRef) -> None:
    """Checks that a base model is available, without loading or downloading it.

    Raises:
        ConfigError: the directory has no model, or the hub has no such id and revision, or cannot be reached.
    """
    if cached_base_model(base) is not None:
        return
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        HfApi().model_info(str(base.hub_id), revision=base.revision, timeout=20)
    except Exception as error:  # noqa: BLE001 - the hub's client hands on whatever its HTTP library raises
        reason = (str(error).partition("\n\n")[2] or str(error) or type(error).__name__).partition("\n")[0]
        hub, cure = (
            ("does not give it", "check id and revision; a private or gated model needs HF_TOKEN")
            if isinstance(error, HfHubHTTPError)
            else ("cannot be reached", "check the network, HF_ENDPOINT and HF_HUB_OFFLINE")
        )
        raise ConfigError(
            f"base_model.hub_id: {base.name} is not in the local cache, and the hub {hub}: {reason}; {cure}"
        ) from None


def locate_base_model(base: BaseModelRef) -> Path:
    """The directory of a base model; a hub model is downloaded to the cache first.

    Raises:
        ConfigError: the directory holds no model.
        ModelError: the hub model cannot be downloaded.
    """
    if base.path is not None:
        _check_directory(Path(base.path))
        return Path(base.path)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(base.hub_id), revision=base.revision))
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"base model {base.name} cannot be downloaded: {error}") from None


def base_digest(directory: Path) -> str:
    """The digest of a model's config and weights."""
    return digest_files(directory, _matching(directory, _WEIGHTS))


def tokenizer_digest(directory: Path) -> str:
    """The digest of a model's tokenizer files, chat template included."""
    return digest_files(directory, _matching(directory, _TOKENIZER))


def _matching(directory: Path, patterns: Iterable[str]) -> list[str]:
    return [
        path.name
        for path in directory.iterdir()
        if path.is_file() and any(fnmatch(path.name, pattern) for pattern in patterns)
    ]


def _check_directory(directory: Path) -> None:
    if not directory.is_dir():
        raise ConfigError(
            f"base_model.path: {str(directory)!r} does not exist; expected a directory with config.json, weights and "
            "tokenizer (the demo's base model is made by `plimsoll demo --prepare`)"
        )
    names = _matching(directory, _WEIGHTS)
    if "config.json" not in names or len(names) < 2 or not _matching(directory, _TOKENIZER):
        raise ConfigError(
            f"base_model.path: {str(directory)!r} holds {sorted(p.name for p in directory.iterdir())}; expected "
            "config.json, weights (*.safetensors) and tokenizer files"
        )
