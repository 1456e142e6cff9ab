"""Keeps measurements in the content-addressed store, so that nothing is measured twice.

Each finding is written as soon as it is made, so a killed evaluation continues there and processes can share the work.
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
    """The finding that was kept under a key, or None.

    Raises:
        IntegrityError: it was changed, or was made for another key.
    """
    with TemporaryDirectory() as directory:
        if not store.fetch(kind, key, Path(directory)):
            return None
        kept = finding.load(Path(directory) / _FILE)
    if kept.inputs != {"key": key}:
        raise IntegrityError(f"stored {kind} {short(key)} were made for {kept.inputs}; remove them and run again")
    return kept


def keep(store: Store, kind: str, key: str, finding: Finding) -> Finding:
    """Keeps a finding under its key, and returns it."""
    keyed = finding.model_copy(update={"inputs": {"key": key}})
    with TemporaryDirectory() as directory:
        keyed.save(Path(directory) / _FILE)
        store.put(kind, key, Path(directory))
    return keyed


def recall_or_make(store: Store, kind: str, key: str, finding: type[Finding], make: Callable[[], Finding]) -> Finding:
    """The finding that was kept under a key; made and kept if there is none."""
    kept = recall(store, kind, key, finding)
    return kept if kept is not None else keep(store, kind, key, make())
