"""Loads suites: versioned, hashed sets of prompts with categories.

A suite is a YAML file with name, version, description and licence. It names either a JSONL file of prompts beside it,
with its sha256, or the file of a published benchmark.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from components.shared import storage
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.names import ShownName
from components.shared.config.reading import read_yaml, validate
from components.shared.config.section import Section
from components.shared.digests import digest_bytes
from components.shared.errors import ConfigError, StorageError
from components.shared.plain_names import plain_name
from components.shared.suites.benchmarks.benchmark_section import BenchmarkSection
from components.shared.suites.benchmarks.loading import load_benchmark
from components.shared.suites.prompt_files import dump_prompts, parse_prompts, refuse_repeated_prompts

__all__ = [
    "Suite",
    "SuiteFile",
    "dump_prompts",
    "load_suite",
    "load_suites",
    "parse_prompts",
    "refuse_repeated_prompts",
]


class SuiteFile(Section):
    """The YAML file of a suite. It has either its own prompts (prompts and sha256) or those of a benchmark."""

    name: ShownName = Field(description="Unique among the suites of a run.")
    version: ShownName = Field(description="Set to a new value whenever a prompt changes.")
    description: str = Field(min_length=1, description="What the prompts are for.")
    licence: str = Field(min_length=1, description="SPDX identifier of the prompts' licence.")
    benchmark: BenchmarkSection | None = Field(
        default=None, description="The published file to read the prompts from, instead of prompts and sha256."
    )
    prompts: Annotated[str, AfterValidator(plain_name)] | None = Field(
        default=None,
        min_length=1,
        validate_default=True,
        description="JSONL file, beside this file or in a folder below: a relative name without '..'.",
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        validate_default=True,
        description="Hash of the JSONL file's bytes; a suite whose file has another hash is refused.",
    )

    @field_validator("prompts", "sha256")
    @classmethod
    def _either_own_or_published(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "benchmark" not in info.data:  # the benchmark is invalid and has its own error
            return value
        if info.data["benchmark"] is None and value is None:
            raise ValueError("a suite needs prompts and sha256 for prompts of its own, or else benchmark")
        if info.data["benchmark"] is not None and value is not None:
            cure = "pin a source with benchmark.sha256" if info.field_name == "sha256" else "leave out one of them"
            raise ValueError(f"a suite has either prompts and sha256, or benchmark, not both; {cure}")
        return value


class Suite(NamedTuple):
    """A suite's prompts with its name, version and digest."""

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
        exists = storage.exists(address)
    except StorageError as error:
        raise ConfigError(f"suite {address!r}: {error}") from None
    if not exists:
        raise ConfigError(f"suite {address!r} does not exist{_neighbours(address)}")
    content = read_yaml(address)
    file = validate(content, SuiteFile, address, storage.read_bytes(address).decode())
    return _own_prompts(file, address) if file.benchmark is None else _published_prompts(file, file.benchmark, address)


def _own_prompts(file: SuiteFile, address: str) -> Suite:
    assert file.prompts is not None, "checked by the validators"  # noqa: S101
    folder = address.rpartition("/")[0]
    rows_address = storage.join(folder, file.prompts) if folder else file.prompts
    try:
        content = storage.read_bytes(rows_address)
    except StorageError as error:
        raise ConfigError(f"{address}: prompts: {file.prompts!r} cannot be read: {error}") from None
    digest = digest_bytes(content)
    if digest.removeprefix("sha256:") != file.sha256:
        raise ConfigError(
            f"{address}: sha256 is {file.sha256!r}, but {file.prompts} has {digest.removeprefix('sha256:')!r}: the "
            "prompts changed; undo that, or set a new version with `plimsoll suites seal`"
        )
    return Suite(file.name, file.version, digest, parse_prompts(content, rows_address, file.name))


def _published_prompts(file: SuiteFile, section: BenchmarkSection, address: str) -> Suite:
    """The digest is that of the prompts as read, so it covers the source, the section and the reader."""
    prompts = load_benchmark(section, file.name, address)
    digest = digest_bytes(dump_prompts(prompts))
    return Suite(
        file.name,
        file.version,
        digest,
        tuple(prompt.model_copy(update={"suite": file.name}) for prompt in prompts),
    )


def _neighbours(address: str) -> str:
    folder = Path(address).parent
    if storage.is_s3(address) or not folder.is_dir():
        return f"; looked in {Path.cwd()}"
    known = sorted(path.name for path in folder.glob("*.yaml"))
    return f"; {folder} holds {', '.join(known)}" if known else f"; {folder} holds no suites"
