"""Reads the training files of a config and checks them against the suites.

The preflight and prepare_data call it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from components.shared import storage
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.sections import DataConfig
from components.shared.data.chats import Chat, Shape, read_chats
from components.shared.data.overlap import refuse_overlap
from components.shared.digests import digest_bytes
from components.shared.errors import DataError
from components.shared.jsonl import parse_objects


class TrainingFile(NamedTuple):
    """One file of training rows."""

    address: str
    role: str
    sha256: str
    shape: Shape
    chats: tuple[Chat, ...]
    unused: tuple[str, ...]
    """Keys of rows and turns that have no effect."""


def read_training_files(data: DataConfig, suite_prompts: Sequence[SuitePrompt]) -> tuple[TrainingFile, ...]:
    """The task's file first, then the mixed-in files; every row is checked.

    Raises:
        DataError: a file cannot be read, a row is malformed, or a row is a suite prompt.
    """
    listed = [(data.train, "task", data.columns), *((source.path, source.role, source.columns) for source in data.mix)]
    files = []
    for address, role, columns in listed:
        try:
            content = storage.read_bytes(address)
        except OSError as error:
            raise DataError(f"{role} rows: {error}") from None
        chats, shape, unused = read_chats(parse_objects(content.split(b"\n"), address), address, data.format, columns)
        refuse_overlap(chats, address, suite_prompts)
        files.append(TrainingFile(address, role, digest_bytes(content), shape, chats, unused))
    return tuple(files)
