"""Finds a base model on disk or on the hub, and computes its digest without loading it."""

import re
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from components.shared.config.base_model import BaseModelRef
from components.shared.digests import digest_files
from components.shared.errors import ConfigError, ModelError
from components.shared.generation.base_checks import check_base_files

_MODEL = ("config.json", "generation_config.json", "*.safetensors", "*.safetensors.index.json")
_TOKENIZER = (
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*.model",
    "*.tiktoken",
    "tekken.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template*",
)
_NOT_THE_MODEL = ("*/*", "consolidated*")
"""Copies of the weights in other formats, in folders or under Mistral's name."""

_COMMIT = re.compile(r"[0-9a-f]{40}")


def cached_base_model(base: BaseModelRef) -> Path | None:
    """The directory of a base model if it is on this machine; None for a hub model that is not in the local cache.

    Raises:
        ConfigError: the directory is not one whole model, or hub_id is not an id of the hub.
    """
    if base.path is not None:
        _check_directory(Path(base.path))
        return Path(base.path)
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        directory = fetch_hub_model(base, offline=True)
    except HFValidationError as error:
        raise ConfigError(f"base_model.hub_id: {base.hub_id!r} is no model id, such as org/name: {error}") from None
    except LocalEntryNotFoundError:
        return None
    check_base_files(directory)
    return directory


def check_base_model(base: BaseModelRef) -> None:
    """Checks that a base model is available and pinned, without loading or downloading it.

    Raises:
        ConfigError: the directory is not one whole model, the hub has no such id and revision or cannot be reached, or
            the revision is not a commit.
    """
    directory = cached_base_model(base)
    if base.path is not None:
        return
    commit = directory.name if directory is not None else _hub_commit(base)
    if commit != base.revision:
        raise ConfigError(_not_pinned(base, f"; it is {commit} now: write that"))


def locate_base_model(base: BaseModelRef) -> Path:
    """The directory of a base model; a hub model is downloaded to the cache first.

    Raises:
        ConfigError: the directory is not one whole model, or the hub model's revision is not a commit.
        ModelError: the hub model cannot be downloaded.
    """
    if base.path is not None:
        _check_directory(Path(base.path))
        return Path(base.path)
    if not _COMMIT.fullmatch(str(base.revision)):
        raise ConfigError(_not_pinned(base, ""))
    try:
        return fetch_hub_model(base)
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"base model {base.name} cannot be downloaded: {error}") from None


def fetch_hub_model(base: BaseModelRef, offline: bool = False) -> Path:
    """The directory of a hub model in the local cache, with the files that are read here: no pickles, no code.

    Args:
        base: with hub_id and revision.
        offline: whether nothing may be downloaded.

    Raises:
        Exception: what the hub's client raises.
    """
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            str(base.hub_id),
            revision=base.revision,
            allow_patterns=[*_MODEL, *_TOKENIZER],
            ignore_patterns=list(_NOT_THE_MODEL),
            local_files_only=offline,
        )
    )


def base_digest(directory: Path) -> str:
    """The digest of all files that decide a model's answers: config, weights, generation config and tokenizer.

    An adapter that was put beside them counts too, since transformers would load it.
    """
    return digest_files(directory, _matching(directory, (*_MODEL, *_TOKENIZER, "adapter_*")))


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
    if not (directory / "config.json").is_file() or not _matching(directory, _TOKENIZER):
        raise ConfigError(
            f"base_model.path: {str(directory)!r} holds {sorted(p.name for p in directory.iterdir())}; expected "
            "config.json, weights (*.safetensors) and tokenizer files"
        )
    check_base_files(directory)


def _hub_commit(base: BaseModelRef) -> str:
    """The commit that a revision names, asked of the hub."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return str(HfApi().model_info(str(base.hub_id), revision=base.revision, timeout=20).sha)
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


def _not_pinned(base: BaseModelRef, today: str) -> str:
    return (
        f"base_model.revision: {base.revision!r} of {base.hub_id} is a tag or branch, which can move; expected a "
        f"commit of 40 hex digits{today}"
    )
