"""Seals a suite: writes the hash of its prompts into its YAML, with a new version if the prompts changed.

Works on local files. Comments, quotes and line ends stay as they are.
"""

import re
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, PlainScalarString

from components.shared import storage
from components.shared.config.reading import read_yaml, validate
from components.shared.digests import digest_bytes
from components.shared.errors import ConfigError, StorageError
from components.shared.suites.suite_files import SuiteFile, parse_prompts, refuse_repeated_prompts

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEVER_SEALED = "0" * 64
"""A placeholder for the hash of a new suite; an empty text is accepted too."""

_NEVER_WRAPPED = 1_000_000
"""Characters of a line: ruamel.yaml folds longer ones."""


class Seal(NamedTuple):
    """The result of sealing; `changed` says whether the YAML was written."""

    version: str
    sha256: str
    prompts: int
    changed: bool


def seal(path: Path, version: str | None = None) -> Seal:
    """Checks a suite's prompts and writes their hash, and the version where one is given, into its YAML.

    Args:
        path: the suite's YAML file.
        version: the new version; needed when the prompts changed since the last seal. The version in the file must
            be that of the last seal: one that was raised by hand cannot be recognised.

    Raises:
        ConfigError: the file is not a suite, or the prompts changed and no new version is given.
        DataError: a prompt is malformed or occurs twice.
    """
    content = read_yaml(str(path))
    if not isinstance(content, dict) or not isinstance(content.get("prompts"), str) or "sha256" not in content:
        raise ConfigError(
            f"{path}: is not a suite with its own prompts; expected the keys prompts (a JSONL file) and sha256 "
            "('' until it is sealed)"
        )
    old_version, old_hash = content.get("version"), str(content["sha256"] or "")
    rows = storage.join(str(path.parent), content["prompts"])
    try:
        data = storage.read_bytes(rows)
    except StorageError as error:
        raise ConfigError(f"{path}: prompts: {error}") from None
    prompts = parse_prompts(data, rows, str(content.get("name", "")))
    refuse_repeated_prompts(prompts)
    new_hash = digest_bytes(data).removeprefix("sha256:")
    sealed_before = bool(_SHA256.fullmatch(old_hash)) and old_hash != _NEVER_SEALED
    changes = {"sha256": new_hash} if new_hash != old_hash else {}
    if version is not None and version != old_version:
        _refuse_lower(path, str(old_version), version)
        changes["version"] = version
    elif changes and sealed_before:
        raise ConfigError(
            f"{path}: the prompts changed since version {old_version!r} was sealed; give a new one with --version NEW"
            + (f", not {version!r} again" if version is not None else "")
        )
    file = validate({**content, **changes}, SuiteFile, str(path))
    if changes:
        _rewrite(path, changes)
    return Seal(file.version, new_hash, len(prompts), bool(changes))


def _refuse_lower(path: Path, old: str, new: str) -> None:
    numbers = re.compile(r"\d+(\.\d+)*")
    if numbers.fullmatch(old) and numbers.fullmatch(new) and _parts(new) < _parts(old):
        raise ConfigError(f"{path}: version {new!r} is lower than {old!r}; give a higher one")


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _rewrite(path: Path, changes: dict[str, str]) -> None:
    """Sets top-level values; comments, the order of the keys and line ends stay."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _NEVER_WRAPPED
    text = path.read_bytes().decode()
    try:
        content = yaml.load(text.replace("\r\n", "\n"))
    except YAMLError as error:
        raise ConfigError(f"{path}: ruamel.yaml cannot read it ({error}); set {changes} by hand") from None
    for key, value in changes.items():
        content[key] = PlainScalarString(value) if key == "sha256" else DoubleQuotedScalarString(value)
    output = StringIO()
    yaml.dump(content, output)
    written = output.getvalue()
    storage.put_text(written.replace("\n", "\r\n") if "\r\n" in text else written, str(path))
