"""A content-addressed store of finished work: directories by kind and key, on disk or in S3.

The key is the digest of everything that the work was made from, so an entry is never stale: other inputs are
another key. An entry is complete once its `entry.json` exists (written last), and every file is checked against
it when fetched.
"""

import json
from pathlib import Path

from components.shared import storage
from components.shared.digests import digest_tree
from components.shared.errors import IntegrityError

ANSWERS_KIND = "answers"
"""Answers of one model to a chunk of prompts, by weights, sampling and prompts."""

FLUENCY_KIND = "fluency"
"""How fluent the base model finds these answers."""

READINGS_KIND = "readings"
"""Other measurements of a model: its calibration, its probes."""

ADAPTER_KIND = "adapters"
"""Trained adapters, by base, data, recipe, policy and libraries."""

CHECKPOINT_KIND = "checkpoints"
"""States of unfinished trainings, by everything that decides the adapter."""

FOLLOW_UP_KIND = "follow-ups"
"""Fresh answers of base model and adapter, by delta and policy."""

_INDEX = "entry.json"


class Store:
    """Finished directories by kind and key.

    Args:
        address: directory or s3:// address below which entries live.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def address_of(self, folder: str) -> str:
        """The address of a folder beside the entries, for other content."""
        return storage.join(self._address, folder)

    def has(self, kind: str, key: str) -> bool:
        """Whether there is such an entry; its files are checked when fetched."""
        return storage.exists(self._entry(kind, key, _INDEX))

    def fetch(self, kind: str, key: str, target: Path) -> bool:
        """Copies an entry's files into `target`; False if there is no such entry.

        Raises:
            IntegrityError: a file does not have the digest that it was stored with.
            StorageError: the store cannot be read.
        """
        files = self.files(kind, key)
        if files is None:
            return False
        for name, digest in files.items():
            try:
                storage.fetch(self._entry(kind, key, name), target / name, digest)
            except IntegrityError as error:
                raise IntegrityError(f"{error}; remove {self._entry(kind, key)} and run again") from None
        return True

    def files(self, kind: str, key: str) -> dict[str, str] | None:
        """Digest by name of an entry's files; None if there is no such entry.

        Raises:
            IntegrityError: the entry's index cannot be read.
            StorageError: the store cannot be read.
        """
        index_address = self._entry(kind, key, _INDEX)
        if not storage.exists(index_address):
            return None
        try:
            return dict(json.loads(storage.read_bytes(index_address))["files"])
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(f"{index_address}: is damaged ({error}); remove it and run again") from None

    def put(self, kind: str, key: str, source: Path) -> None:
        """Stores all files below `source`; an entry of the same key is replaced.

        There is no entry until all files are written, so that a killed process leaves none that is incomplete. A
        repeated call does not send a large file to S3 again that is already there.

        Raises:
            StorageError: the store cannot be written.
        """
        files = digest_tree(source)
        storage.delete(self._entry(kind, key, _INDEX))
        for name, digest in files.items():
            storage.put(source / name, self._entry(kind, key, name), digest)
        storage.put_text(json.dumps({"files": files}, indent=1), self._entry(kind, key, _INDEX))

    def remove(self, kind: str, key: str) -> None:
        """Removes an entry, its index first; harmless if there is none.

        Raises:
            StorageError: the store cannot be written.
        """
        storage.delete(self._entry(kind, key, _INDEX))
        storage.delete_tree(self._entry(kind, key))

    def _entry(self, kind: str, key: str, *names: str) -> str:
        return storage.join(self._address, kind, key.removeprefix("sha256:"), *names)
