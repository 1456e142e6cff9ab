"""Replies of an LLM judge, kept one file per request, so that no request is paid for twice.

An entry's name is the digest of its request. It is written whole or not at all, and checked when it is read. With the
store's signing key it is signed, and an unsigned one is refused.
"""

import json

from components.shared import storage
from components.shared.digests import digest_json
from components.shared.errors import IntegrityError
from components.shared.judges.models.endpoint import Reply
from components.shared.signing import SigningKey

_NOTE = "Replies of LLM judges, one file per request. They may be deleted: missing ones are asked for again.\n"


class ReplyCache:
    """Replies by request digest, below a directory or an s3:// address.

    Args:
        address: where entries live; None keeps nothing.
        signing_key: signs entries; None: they are not signed.

    Raises:
        StorageError: the address cannot be written.
    """

    def __init__(self, address: str | None, signing_key: SigningKey | None = None) -> None:
        self.address, self._signing_key = address, signing_key
        if address is not None:  # fails here, before the GPU's work
            storage.put_text(_NOTE, storage.join(address, "README.txt"))

    def get(self, key: str) -> Reply | None:
        """The reply kept for a request, or None.

        Raises:
            IntegrityError: the entry is damaged, was changed, or is not signed with the key.
            StorageError: it cannot be read.
        """
        if self.address is None or not storage.exists(address := self._entry(self.address, key)):
            return None
        try:
            entry = json.loads(storage.read_bytes(address))
            reply = Reply(**{name: str(entry["reply"][name]) for name in Reply._fields})
            whole = entry["key"] == key and entry["sha256"] == _digest(key, reply)
        except (ValueError, KeyError, TypeError, RecursionError):
            whole = False
        if not whole:
            raise IntegrityError(f"{address}: this kept reply is damaged or was changed; remove it and run again")
        if self._signing_key is not None and not self._signing_key.confirms(
            entry.get("signature"), _signed(key, reply)
        ):
            raise IntegrityError(
                f"{address}: this kept reply is not signed with the key in {self._signing_key.variable}: someone "
                "without the key wrote it, or it is older than the key; remove it and run again"
            )
        return reply

    def put(self, key: str, reply: Reply) -> None:
        """Keeps a reply.

        Raises:
            StorageError: it cannot be written.
        """
        if self.address is None:
            return
        entry: dict[str, object] = {"key": key, "reply": reply._asdict(), "sha256": _digest(key, reply)}
        if self._signing_key is not None:
            entry["signature"] = self._signing_key.sign(_signed(key, reply))
        storage.put_text(json.dumps(entry), self._entry(self.address, key))

    @staticmethod
    def _entry(address: str, key: str) -> str:
        name = key.removeprefix("sha256:")
        return storage.join(address, name[:2], f"{name}.json")


def _signed(key: str, reply: Reply) -> dict[str, object]:
    return {"kind": "judge-reply", "key": key, "reply": list(reply)}


def _digest(key: str, reply: Reply) -> str:
    return digest_json([key, list(reply)])
