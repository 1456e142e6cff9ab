"""MLflow stores in a sqlite file: made once and whole, however many processes open them first, and who holds one.

mlflow makes its tables in dozens of statements that are no transaction: two processes that do so at once, or one that
is killed meanwhile, leave a file that can never be opened again. So a store is made in a file beside it, under a lock.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from components.shared.config.sqlite_addresses import sqlite_address
from components.shared.errors import TrackingError
from components.shared.storage import atomic_write

_HALF_MADE = "_alembic_tmp_"
"""Tables that mlflow's migrations make, and rename at their end."""
_SHOWN_COMMAND = 80


def make_whole(database: Path, make: Callable[[str], object]) -> None:
    """Makes a store if its file is missing or empty; one process at a time.

    Args:
        database: the sqlite file; its folder is made.
        make: makes a store at a sqlite address.

    Raises:
        TrackingError: the file is half of a store.
        OSError: the folder or the file cannot be made.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    if _is_there(database):
        _refuse_half(database)
        return
    with _alone(database.with_name(f".{database.name}.first-open.lock")):
        if _is_there(database):
            return
        with atomic_write(database) as partial:
            make(sqlite_address(partial))


def holders(database: Path) -> str:
    """The other processes that have a file open, as `process 123 (mlflow ui)`; empty if none can be seen."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if any(Path(file.path) == database.resolve() for file in process.open_files()):
                command = " ".join(process.info["cmdline"] or [process.name()])
                found.append(f"process {process.pid} ({command[:_SHOWN_COMMAND]})")
    return " and ".join(found)


def _is_there(database: Path) -> bool:
    return database.is_file() and database.stat().st_size > 0


def _refuse_half(database: Path) -> None:
    """Checks that the store was made whole; whatever else is wrong with the file, mlflow says."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{_quoted(database)}?mode=ro", uri=True, timeout=1)
        ) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            half = sorted(name for name in tables if name.startswith(_HALF_MADE))
            if not half:
                return
            runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0] if "runs" in tables else 0
    except sqlite3.Error:
        return
    if runs == 0:
        cure = f"it holds no run: remove the file (rm {str(database)!r}) and run again"
    else:
        drop = "".join(f'DROP TABLE "{name}";' for name in half)
        cure = (
            f"it holds {runs:,} runs: end what uses it, copy the file, then run sqlite3 {str(database)!r} '{drop}' and "
            f"mlflow db upgrade {sqlite_address(database)!r}"
        )
    raise TrackingError(
        f"MLflow store {str(database)!r}: making or upgrading its tables was broken off, or done by two processes at "
        f"once (table {half[0]!r} was left over); {cure}"
    )


def _quoted(database: Path) -> str:
    return sqlite_address(database.absolute()).removeprefix("sqlite:///").replace("#", "%23")


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Holds a file's lock; the file is removed once the work is done, and those that waited for it see that."""
    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # ends with the process, however it ends
        yield
        lock.unlink(missing_ok=True)
