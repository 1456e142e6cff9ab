"""Lists the folders and environment variables of this machine that a step in a container gets, under the same names.

What a run reads is mounted read-only, what it writes read-write, and nothing else.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from components.shared.config.judges import LlmConfig
from components.shared.config.sections import PipelineConfig

Mode = Literal["ro", "rw"]

_PREFIXES = ("AWS_", "HF_", "MLFLOW_", "OMP_", "PG", "PLIMSOLL_", "TOKENIZERS_")
_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


def mounts_of(config: PipelineConfig, root: Path, work_dir: Path) -> dict[Path, Mode]:
    """The folders that the steps of a run need.

    Args:
        config: with absolute paths.
        root: the project's folder, in which the command runs; the steps run in it too.
        work_dir: of this run.

    Returns:
        Absolute paths and modes, without those that another mount covers; a symbolic link comes with its target.
    """
    base = config.base_model
    models = [base, *(judge.model for judge in config.evaluation.judges if not isinstance(judge, LlmConfig))]
    files = [config.data.train, *(source.path for source in config.data.mix), *config.suites]
    folders = [*(model.path for model in models if model.path), config.evaluation.judge_checks]
    if base.ancestor_report is not None:
        folders.append(base.ancestor_report)
    read = [root, *_local(folders, root), *(path.parent for path in _local(files, root))]
    stores = [config.store, *([config.checkpoints.store] if config.checkpoints.store is not None else [])]
    written = [work_dir, *_local(stores, root)]
    written += [path.parent for path in _local([config.tracking.audit_log], root)]
    if (database := config.tracking.sqlite_file) is not None:
        written.append((root / database).parent)
    if any(model.hub_id is not None for model in models) or any(file.startswith("hub://") for file in files):
        written.append(model_cache())
    return outermost({**_both_names(read, "ro"), **_both_names(written, "rw")})


def outermost(mounts: Mapping[Path, Mode]) -> dict[Path, Mode]:
    """The mounts without those that another one covers: below a writable one, or below one of the same mode."""
    kept: dict[Path, Mode] = {}
    for path, mode in sorted(mounts.items()):
        covering = [kept[parent] for parent in path.parents if parent in kept]
        if "rw" not in covering and mode not in covering:
            kept[path] = mode
    return kept


def environment_of(config: PipelineConfig, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that the steps get: credentials, addresses and settings, chosen by name or prefix.

    Args:
        config: it names the variables that hold keys, of judges and of the store.
        environment: of this process.
    """
    keys = {judge.api_key_env for judge in config.evaluation.judges if isinstance(judge, LlmConfig)}
    keys.add(config.store_key_env)
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_PREFIXES) or name.upper() in _NAMES or name in keys
    }


def files_named_by(environment: Mapping[str, str]) -> dict[Path, Mode]:
    """The files and folders that variables name (a certificate bundle, a credentials file), read-only."""
    return _both_names((Path(value) for value in environment.values() if _is_there(value)), "ro")


def model_cache() -> Path:
    """The Hugging Face cache of this machine."""
    return Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser().absolute()


def _is_there(value: str) -> bool:
    return value.startswith("/") and len(value) > 1 and os.path.exists(value)  # noqa: PTH110 - values may be anything


def _local(addresses: Iterable[str], root: Path) -> list[Path]:
    return [root / Path(address).expanduser() for address in addresses if "://" not in address]


def _both_names(paths: Iterable[Path], mode: Mode) -> dict[Path, Mode]:
    """Each path as written, and with its symbolic links resolved."""
    return {name: mode for path in paths for name in (path.absolute(), path.resolve())}
