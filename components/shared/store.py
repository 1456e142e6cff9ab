"""A content-addressed store of finished work: directories by kind and key, on disk or in S3.

The key is the digest of everything that the work was made from, so an entry is never stale: other inputs are
another key. An entry is complete once its `entry.json` exists (written last), and every file is checked against
it when fetched. With a signing key, `entry.json` is signed, and an entry without a valid signature is refused.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from components.shared import storage
from components.shared.digests import digest_tree
from components.shared.errors import IntegrityError, StorageError
from components.shared.plain_names import path_below, plain_name
from components.shared.signing import key_from_environment

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
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Store:
    """Finished directories by kind and key.

    Args:
        address: directory or s3:// address below which entries live.
        key_env: name of the environment variable with the key that signs entries; empty or None: they are not signed.

    Raises:
        ConfigError: the variable holds no key.
    """

    def __init__(self, address: str, key_env: str | None = None) -> None:
        self._address = address
        self.signing_key = key_from_environment(key_env)

    def at(self, address: str) -> "Store":
        """A store at another address, with the same signing key."""
        return Store(address, self.signing_key.variable if self.signing_key is not None else None)

    def address_of(self, folder: str) -> str:
        """The address of a folder beside the entries, for other content."""
        return storage.join(self._address, folder)

    def has(self, kind: str, key: str) -> bool:
        """Whether there is such an entry; its files are checked when fetched."""
        return storage.exists(self._entry(kind, key, _INDEX))

    def fetch(self, kind: str, key: str, target: Path) -> bool:
        """Copies an entry's files into `target`; False if there is no such entry.

        Raises:
            IntegrityError: the entry's index is damaged or not signed, or a file does not have the digest that it was
                stored with.
            StorageError: the store cannot be read.
        """
        files = self.files(kind, key)
        if files is None:
            return False
        for name, digest in files.items():
            try:
                storage.fetch(self._entry(kind, key, name), path_below(target, name), digest)
            except (IntegrityError, ValueError) as error:
                raise IntegrityError(f"{error}; remove {self._entry(kind, key)} and run again") from None
        return True

    def files(self, kind: str, key: str) -> dict[str, str] | None:
        """Digest by name of an entry's files; None if there is no such entry.

        Raises:
            IntegrityError: the entry's index cannot be read, names a file outside the entry, or is not signed with
                this store's key.
            StorageError: the store cannot be read.
        """
        index_address = self._entry(kind, key, _INDEX)
        if not storage.exists(index_address):
            return None
        try:
            index = json.loads(storage.read_bytes(index_address))
            files = _checked(index["files"])
            signature = index.get("signature")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise IntegrityError(f"{index_address}: is damaged ({error}); remove it and run again") from None
        if self.signing_key is not None and not self.signing_key.confirms(signature, _signed(kind, key, files)):
            found = "has no signature" if signature is None else "has a signature that does not fit it"
            raise IntegrityError(
                f"{index_address}: {found}; expected one with the key in {self.signing_key.variable}: someone without "
                "the key wrote or changed this entry, or it is older than the key; remove "
                f"{self._entry(kind, key)} and run again, or name another store"
            )
        return files

    def put(self, kind: str, key: str, source: Path) -> None:
        """Stores all files below `source`; an entry of the same key is replaced.

        There is no entry until all files are written, so that a killed process leaves none that is incomplete. A
        repeated call does not send a large file to S3 again that is already there.

        Raises:
            StorageError: the store cannot be written.
        """
        try:
            files = _checked(digest_tree(source))
        except ValueError as error:
            raise StorageError(f"{source}: cannot be stored: {error}") from None
        index: dict[str, object] = {"files": files}
        if self.signing_key is not None:
            index["signature"] = self.signing_key.sign(_signed(kind, key, files))
        storage.delete(self._entry(kind, key, _INDEX))
        for name, digest in files.items():
            storage.put(source / name, self._entry(kind, key, name), digest)
        storage.put_text(json.dumps(index, indent=1), self._entry(kind, key, _INDEX))

    def remove(self, kind: str, key: str) -> None:
        """Removes an entry, its index first; harmless if there is none.

        Raises:
            StorageError: the store cannot be written.
        """
        storage.delete(self._entry(kind, key, _INDEX))
        storage.delete_tree(self._entry(kind, key))

    def _entry(self, kind: str, key: str, *names: str) -> str:
        try:
            place = plain_name(f"{kind}/{key.removeprefix('sha256:')}")
        except ValueError as error:
            raise StorageError(f"store {self._address}: is asked for a wrong entry: {error}") from None
        return storage.join(self._address, place, *names)


def _checked(files: Mapping[str, str]) -> dict[str, str]:
    """The digest of each file, by a name that stays below the entry.

    Raises:
        ValueError: a name is not plain, or a digest is none.
    """
    for name, digest in files.items():
        plain_name(name)
        if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
            raise ValueError(f"{name!r} has digest {str(digest)[:80]!r}; expected sha256: and 64 hex digits")
    return dict(files)


def _signed(kind: str, key: str, files: Mapping[str, str]) -> dict[str, object]:
    """What a signature covers: the entry's place as well, so that no entry can be moved to another key."""
    return {"kind": kind, "key": key.removeprefix("sha256:"), "files": files}
