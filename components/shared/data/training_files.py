"""Reads the training files of a config and checks them against the suites.

The preflight and prepare_data call it. Each row is read once and kept on disk.
"""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

from components.shared import storage
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.sections import DEFAULT_SPLIT, DataConfig, MixSource
from components.shared.data.chats import ChatReader, Shape
from components.shared.data.hub_files import HUB, fetch_hub_file, find_split, parse_hub
from components.shared.data.overlap import OverlapCheck, user_fingerprints
from components.shared.data.row_files import RowFile, list_files, refuse_other_files
from components.shared.data.row_store import Rows, RowStore
from components.shared.digests import digest_file, digest_json
from components.shared.errors import DataError
from components.shared.progress import Progress, Say, speaker

_EVERY = 1000
"""Rows between two looks at the clock."""


class TrainingFile(NamedTuple):
    """The training rows of one address: of a file, or of all files of a folder."""

    address: str
    role: str
    sha256: str
    """Of the file; of a folder, of its files' digests in order of their names."""
    shape: Shape
    chats: Rows
    unused: tuple[str, ...]
    """Keys of rows and turns that have no effect."""
    digests: dict[str, str]
    """The digest of each file, by its address."""
    revision: str | None = None
    """The commit of a data set on the hub; None: the rows are files."""


def read_training_files(
    data: DataConfig, suite_prompts: Sequence[SuitePrompt], say: Say | None = None
) -> tuple[TrainingFile, ...]:
    """The task's file first, then the mixed-in files; every row is checked.

    Args:
        data: which files.
        suite_prompts: what no row may ask.
        say: receives lines of progress, if a file takes more than seconds; None: they go to standard error.

    Raises:
        DataError: a file cannot be read, a row is malformed, a row is a suite prompt, or a file is there twice.
        StorageError: there is no room for the rows in the temporary folder.
    """
    store = RowStore()
    files: list[TrainingFile] = []
    say = speaker("data", sys.stderr) if say is None else say
    sources: list[tuple[str, str, DataConfig | MixSource]] = [(data.train, "task", data)]
    sources += [(mixed.path, mixed.role, mixed) for mixed in data.mix]
    for address, role, source in sources:
        reader = _SourceReader(ChatReader(data.format, source.columns), store, suite_prompts, say)
        file = reader.read(address, role, source.subset, source.split)
        _refuse_repeated([*files, file])
        files.append(file)
    return tuple(files)


class _SourceReader:
    """Reads the files of one address into the store."""

    def __init__(self, chats: ChatReader, store: RowStore, suite_prompts: Sequence[SuitePrompt], say: Say) -> None:
        self._chats, self._store, self._suite_prompts, self._say = chats, store, suite_prompts, say

    def read(self, address: str, role: str, subset: str | None, split: str | None) -> TrainingFile:
        start = len(self._store)
        digests: dict[str, str] = {}
        try:
            revision, parts = _find_files(address, subset, split)
            for part in parts:
                digests[part] = self._read_part(part, part.rpartition("/")[2] if part != address else "")
        except OSError as error:
            raise DataError(f"{role} rows: {error}") from None
        sha256 = digests[address] if parts == [address] else digest_json([digests[part] for part in parts])
        rows, unused = self._store.rows(start), tuple(sorted(self._chats.unused))
        return TrainingFile(address, role, sha256, self._chats.shape, rows, unused, digests, revision)

    def _read_part(self, part: str, name: str) -> str:
        overlap = OverlapCheck(part, self._suite_prompts)
        with nullcontext(fetch_hub_file(part)) if part.startswith(HUB) else storage.local_file(part) as path:
            digest = digest_file(path)
            file = RowFile(path, part)
            progress = Progress(self._say, f"kB of {part.rpartition('/')[2]}", file.size // 1000 + 1)
            shown = 0
            for number, chat in enumerate(self._chats.read(file.rows(), part, name), start=1):
                fingerprints = user_fingerprints(chat)
                overlap.see(chat, fingerprints)
                self._store.add(chat, fingerprints)
                if number % _EVERY == 0:
                    progress.advance(file.done // 1000 - shown, f"{number:,} rows")
                    shown = file.done // 1000
        overlap.refuse()
        return digest


def _find_files(address: str, subset: str | None, split: str | None) -> tuple[str | None, list[str]]:
    """The commit, if it is a data set on the hub, and the addresses of its files."""
    if not address.startswith(HUB):
        return None, list_files(address)
    found = find_split(address, subset, split or DEFAULT_SPLIT)
    files = list(found.files)
    if parse_hub(address).file is None:
        refuse_other_files(files)
    return found.commit, files


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
