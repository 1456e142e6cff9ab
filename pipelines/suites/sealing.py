"""Seals a suite: writes the hash of its prompts into its YAML, with a new version wherever the prompts changed.

Only the two values change; comments and line ends stay as they are. Reads and writes local files only. This module
does not know whether the new prompts are better ones.
"""

import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from components.shared import storage
from components.shared.config.reading import read_yaml, validate
from components.shared.digests import digest_bytes
from components.shared.errors import ConfigError, StorageError
from components.shared.suites.suite_files import SuiteFile, parse_prompts, refuse_repeated_prompts

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEVER_SEALED = "0" * 64
"""What a new suite may hold until it is sealed; an empty text will do as well."""


class Seal(NamedTuple):
    """What sealing did."""

    version: str
    sha256: str
    prompts: int
    changed: bool


def seal(path: Path, version: str | None = None) -> Seal:
    """Checks a suite's prompts and writes their hash, and the version where one is given, into its YAML.

    Args:
        path: the suite's YAML file.
        version: the new version; needed when the prompts changed since the last seal. The file's own version is
            that of the last seal: a version that was raised by hand cannot be told from one that was not.

    Raises:
        ConfigError: the file is not a suite; the prompts changed and no version is given, or none that is new.
        DataError: a prompt is malformed or occurs twice.
    """
    content = read_yaml(str(path))
    if not isinstance(content, dict) or not isinstance(content.get("prompts"), str) or "sha256" not in content:
        raise ConfigError(
            f"{path}: is not a suite of prompts in a file of its own; expected the keys prompts (a JSONL file) and "
            "sha256 ('' until it is sealed)"
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
        raise ConfigError(f"{path}: version {new!r} is lower than {old!r}, which it is to follow")


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _rewrite(path: Path, changes: dict[str, str]) -> None:
    """Replaces top-level values in the text, the last one first, and checks that nothing else changed."""
    text = before = path.read_bytes().decode()
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    values = {key.value: value for key, value in node.value}
    for key in sorted(changes, key=lambda name: values[name].start_mark.index, reverse=True):
        start, end = values[key].start_mark.index, values[key].end_mark.index
        plain = key == "sha256" and isinstance(yaml.safe_load(changes[key]), str)
        written = changes[key] if plain else json.dumps(changes[key], ensure_ascii=False)
        rest = text[end:]
        if start == end:  # no value yet: it goes where the spaces are
            written, rest = f" {written}", rest.lstrip(" \t")
            rest = f" {rest}" if rest.startswith("#") else rest
        text = f"{text[:start]}{written}{rest}"
    if yaml.safe_load(text) != {**yaml.safe_load(before), **changes}:
        raise ConfigError(f"{path}: its layout is not understood; set {', '.join(changes)} by hand: {changes}")
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    partial.write_bytes(text.encode())
    partial.replace(path)
