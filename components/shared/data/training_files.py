"""Reads the training files of a config and checks them against the suites.

The preflight and prepare_data call it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from components.shared import storage
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.sections import Columns, DataConfig
from components.shared.data.chats import Chat, Shape, read_chats
from components.shared.data.overlap import refuse_overlap
from components.shared.data.row_files import list_files, read_rows
from components.shared.digests import digest_bytes, digest_json
from components.shared.errors import DataError


class TrainingFile(NamedTuple):
    """The training rows of one address: of a file, or of all files of a folder."""

    address: str
    role: str
    sha256: str
    """Of the file; of a folder, of its files' digests in order of their names."""
    shape: Shape
    chats: tuple[Chat, ...]
    unused: tuple[str, ...]
    """Keys of rows and turns that have no effect."""
    digests: dict[str, str]
    """The digest of each file, by its address."""


def read_training_files(data: DataConfig, suite_prompts: Sequence[SuitePrompt]) -> tuple[TrainingFile, ...]:
    """The task's file first, then the mixed-in files; every row is checked.

    Raises:
        DataError: a file cannot be read, a row is malformed, a row is a suite prompt, or a file is there twice.
    """
    listed = [(data.train, "task", data.columns), *((source.path, source.role, source.columns) for source in data.mix)]
    files: list[TrainingFile] = []
    for address, role, columns in listed:
        file = _read(address, role, data.format, columns, suite_prompts)
        _refuse_repeated([*files, file])
        files.append(file)
    return tuple(files)


def _read(
    address: str, role: str, shape: Shape, columns: Columns | None, suite_prompts: Sequence[SuitePrompt]
) -> TrainingFile:
    chats: list[Chat] = []
    unused: set[str] = set()
    digests: dict[str, str] = {}
    try:
        parts = list_files(address)
        for part in parts:
            content = storage.read_bytes(part)
            digests[part] = digest_bytes(content)
            name = part.rpartition("/")[2] if part != address else ""
            read = read_chats(read_rows(content, part), part, shape, columns, name)
            refuse_overlap(read.chats, part, suite_prompts)
            shape = read.shape
            chats += read.chats
            unused.update(read.unused)
    except OSError as error:
        raise DataError(f"{role} rows: {error}") from None
    sha256 = digests[address] if parts == [address] else digest_json([digests[part] for part in parts])
    return TrainingFile(address, role, sha256, shape, tuple(chats), tuple(sorted(unused)), digests)


def _refuse_repeated(files: Sequence[TrainingFile]) -> None:
    first: dict[str, str] = {}
    for file in files:
        for address, digest in file.digests.items():
            if digest in first:
                same = "is listed twice" if first[digest] == address else f"has the same content as {first[digest]}"
                raise DataError(
                    f"{address}: {same}; expected different files in data.train and data.mix: remove one, or raise the "
                    "other's share"
                )
            first[digest] = address
