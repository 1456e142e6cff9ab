"""Keeps what was measured in the content-addressed store, so that nothing is measured twice.

Each finding is written when it is made: a killed evaluation goes on from there, and processes that share the work
meet here.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from components.shared.artifacts.artifact import Artifact
from components.shared.digests import short
from components.shared.errors import IntegrityError
from components.shared.store import Store

_FILE = "finding.json"
Finding = TypeVar("Finding", bound=Artifact)


def recall(store: Store, kind: str, key: str, finding: type[Finding]) -> Finding | None:
    """What was kept under a key, or None.

    Raises:
        IntegrityError: it was changed, or was made for another key.
    """
    with TemporaryDirectory() as directory:
        if not store.fetch(kind, key, Path(directory)):
            return None
        found = finding.load(Path(directory) / _FILE)
    if found.inputs != {"key": key}:
        raise IntegrityError(f"stored {kind} {short(key)} were made for {found.inputs}; remove them and run again")
    return found


def keep(store: Store, kind: str, key: str, found: Finding) -> Finding:
    """Keeps a finding under its key, and returns it."""
    keyed = found.model_copy(update={"inputs": {"key": key}})
    with TemporaryDirectory() as directory:
        keyed.save(Path(directory) / _FILE)
        store.put(kind, key, Path(directory))
    return keyed


def recall_or_make(store: Store, kind: str, key: str, finding: type[Finding], make: Callable[[], Finding]) -> Finding:
    """What was kept under a key; made and kept where there is none."""
    found = recall(store, kind, key, finding)
    return found if found is not None else keep(store, kind, key, make())
