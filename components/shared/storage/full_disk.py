"""Names the disk that is full, wherever a write ends so: Python's, sqlite's and libraries' own words do not."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.shared.errors import PlimsollError, StorageError

_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
_WORDS = ("No space left on device", "Disk quota exceeded", "database or disk is full", "os error 28")
"""What sqlite, Rust and C++ libraries, and servers say."""
_LONGEST_CHAIN = 10


class FullDiskError(StorageError):
    """There is no room to write on a disk."""


def is_full(error: BaseException) -> bool:
    """Whether an error, or one that caused it, says that a disk is full."""
    return any(map(_says_full, _chain(error)))


def full_disk_error(error: BaseException, place: str | Path | None = None) -> FullDiskError:
    """The error for people: which disk is full, how much is free there, and what to do.

    Args:
        error: for which `is_full` holds.
        place: what was written; None: the file that the error names, else the fuller one of the disks of the working
            folder and of the temporary folder.
    """
    named = next((each for each in _chain(error) if isinstance(each, FullDiskError)), None)
    if named is not None:
        return named
    files = (each.filename for each in _chain(error) if isinstance(each, OSError) and each.filename)
    written = place or next(files, None)
    if written is None:
        folder = min((Path.cwd(), Path(tempfile.gettempdir())), key=lambda disk: shutil.disk_usage(disk).free)
        subject = "a file"
    else:
        folder, subject = _existing(Path(os.fsdecode(written)).absolute()), str(written)
    usage, entries = shutil.disk_usage(folder), os.statvfs(folder)
    free = f"{usage.free / 1e6:,.0f} MB of {usage.total / 1e9:,.1f} GB are free"
    if entries.f_files and not entries.f_favail:
        free += ", but no further file can be made (no inodes)"
    return FullDiskError(
        f"{subject} cannot be written: the disk of {_mount(folder)} is full ({free}); remove what is not needed there, "
        "or choose a place on another disk (store, tracking.uri, TMPDIR), and run again"
    )


@contextmanager
def names_full_disk(place: str | Path | None = None) -> Iterator[None]:
    """Turns whatever says in the block that a disk is full into a FullDiskError about a place."""
    try:
        yield
    except FullDiskError:
        raise
    except Exception as error:
        if not is_full(error):
            raise
        raise full_disk_error(error, place) from error


def _says_full(error: BaseException) -> bool:
    if isinstance(error, FullDiskError) or (isinstance(error, OSError) and error.errno in _NUMBERS):
        return True
    quotes = isinstance(error, PlimsollError | ValueError)  # what they say may be the text of a row
    return not quotes and any(words in str(error) for words in _WORDS)


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while len(chain) < _LONGEST_CHAIN and (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    return chain


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _mount(folder: Path) -> str:
    return str(next(each for each in (folder, *folder.parents) if each.is_mount()))
