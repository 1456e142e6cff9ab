"""Loads suites: versioned, hashed sets of prompts with categories.

A suite is a YAML file (name, version, description, licence, prompts, sha256) and a JSONL file of prompts beside
it. This module does not know policies or models.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError

from components.shared import storage
from components.shared.artifacts.evaluation import Expectation, SuitePrompt
from components.shared.config.files import read_yaml, validate
from components.shared.config.policy import TASK_CATEGORY
from components.shared.config.section import Section
from components.shared.digests import digest_bytes
from components.shared.errors import ConfigError, DataError, StorageError
from components.shared.evaluation.overlap import fingerprint


class SuiteFile(Section):
    """The YAML file of a suite."""

    name: str = Field(min_length=1, description="Unique among the suites of a run.")
    version: str = Field(min_length=1, description="Raised whenever a prompt changes.")
    description: str = Field(min_length=1, description="What the prompts are for.")
    licence: str = Field(min_length=1, description="SPDX identifier of the prompts' licence.")
    prompts: str = Field(min_length=1, description="JSONL file, relative to this file.")
    sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="Hash of the JSONL file's bytes, so that a change is noticed."
    )


class Suite(NamedTuple):
    """A suite's prompts, and what names them."""

    name: str
    version: str
    sha256: str
    prompts: tuple[SuitePrompt, ...]

    @property
    def categories(self) -> dict[str, int]:
        """Number of prompts by category."""
        return dict(Counter(prompt.category for prompt in self.prompts))


def load_suites(addresses: Sequence[str]) -> tuple[Suite, ...]:
    """Loads several suites and checks that they can be used together.

    Args:
        addresses: YAML files: paths or s3:// addresses.

    Raises:
        ConfigError: a suite does not exist, does not have its hash, or is given twice.
        DataError: a prompt is malformed, or occurs twice.
    """
    suites = tuple(load_suite(address) for address in addresses)
    for kind, values in (
        ("name", [suite.name for suite in suites]),
        ("sha256", [suite.sha256 for suite in suites]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                raise ConfigError(f"suites: {count} suites have the {kind} {value!r}; give each suite once")
    refuse_repeated_prompts(prompt for suite in suites for prompt in suite.prompts)
    return suites


def load_suite(address: str) -> Suite:
    """Loads one suite.

    Raises:
        ConfigError: the suite does not exist or does not have its hash.
        DataError: a prompt is malformed; file and line are named.
    """
    try:
        known = storage.exists(address)
    except StorageError as error:
        raise ConfigError(f"suite {address!r}: {error}") from None
    if not known:
        raise ConfigError(f"suite {address!r} does not exist{_neighbours(address)}")
    file = validate(read_yaml(address), SuiteFile, address)
    folder = address.rpartition("/")[0]
    rows_address = storage.join(folder, file.prompts) if folder else file.prompts
    content = storage.read_bytes(rows_address)
    found = digest_bytes(content).removeprefix("sha256:")
    if found != file.sha256:
        raise ConfigError(
            f"{address}: sha256 is {file.sha256!r}, but {file.prompts} has {found!r}: the prompts changed; undo "
            "that, or raise the version and set the new sha256"
        )
    return Suite(file.name, file.version, f"sha256:{found}", parse_prompts(content, rows_address, file.name))


def parse_prompts(content: bytes, where: str, suite: str = "") -> tuple[SuitePrompt, ...]:
    """Reads JSONL prompts.

    Args:
        content: the bytes of the file.
        where: the file's address, for errors.
        suite: the suite's name; empty when each row names its own.

    Raises:
        DataError: a row is malformed; file and line are named.
    """
    prompts = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        place = f"{where}:{number}"
        try:
            prompt = SuitePrompt.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "row"
            raise DataError(f"{place}: {field}: {first['msg']}; got {str(first['input'])[:80]!r}") from None
        _check(prompt, place, named=bool(suite))
        prompts.append(prompt.model_copy(update={"suite": suite}) if suite else prompt)
    if not prompts:
        raise DataError(f"{where}: holds no prompts; expected one JSON object per line")
    return tuple(prompts)


def dump_prompts(prompts: Iterable[SuitePrompt]) -> bytes:
    """The JSONL bytes that `parse_prompts` reads."""
    rows = (json.dumps(prompt.model_dump(mode="json"), ensure_ascii=False) for prompt in prompts)
    return "".join(f"{row}\n" for row in rows).encode()


def refuse_repeated_prompts(prompts: Iterable[SuitePrompt]) -> None:
    """Checks that every id and every conversation occurs once.

    Raises:
        DataError: naming both places of the first repetition.
    """
    ids: dict[str, SuitePrompt] = {}
    texts: dict[tuple[str, ...], SuitePrompt] = {}
    for prompt in prompts:
        if other := ids.get(prompt.id):
            raise DataError(
                f"prompt id {prompt.id!r} occurs twice (suites {other.suite!r} and {prompt.suite!r}); ids are unique"
            )
        ids[prompt.id] = prompt
        turns = (prompt.system or "", *(turn.content for turn in prompt.messages), prompt.prompt)
        text = tuple(fingerprint(turn) for turn in turns)
        if other := texts.get(text):
            raise DataError(
                f"prompts {other.id!r} (suite {other.suite!r}) and {prompt.id!r} (suite {prompt.suite!r}) are the "
                f"same text {prompt.prompt[:80]!r}; remove one"
            )
        texts[text] = prompt


def _check(prompt: SuitePrompt, place: str, named: bool) -> None:
    if prompt.expectation is Expectation.CAVEAT and not prompt.caveats:
        raise DataError(f"{place}: caveats: empty; expectation 'caveat' needs at least one phrase")
    if prompt.expectation is Expectation.EXACT and prompt.reference is None:
        raise DataError(f"{place}: reference: missing; expectation 'exact' needs one")
    if named and prompt.category == TASK_CATEGORY:
        raise DataError(f"{place}: category: {TASK_CATEGORY!r} is kept for the held-out task rows; choose another")


def _neighbours(address: str) -> str:
    folder = Path(address).parent
    if storage.is_s3(address) or not folder.is_dir():
        return f"; looked in {Path.cwd()}"
    known = sorted(path.name for path in folder.glob("*.yaml"))
    return f"; {folder} holds {', '.join(known)}" if known else f"; {folder} holds no suites"
