"""An audit log in S3: an object per entry under its sequence number, and a copy under number and digest.

`<prefix>/entries/<sequence>.json` is written with `If-None-Match: *`, so that exactly one writer gets a number. (If a
writer checked first and wrote afterwards, the slower of two would overwrite the faster.) Its key cannot hold the
digest, or two writers would get the same number under two keys. So the key of a copy holds it:
`<prefix>/copies/<sequence>-<sha256>.json`, written after the entry. No object is ever changed, so that a bucket with
object lock protects all of them. Copies do what the head record does for a file: an entry that was removed or replaced,
at the end too, leaves its copy.
"""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from components.shared import storage
from components.shared.audit.chain import AuditProblem, Reading, StoredEntry
from components.shared.audit.entry import START, AuditEntry, End, parse_entry
from components.shared.errors import IntegrityError, StorageError

RETENTION_DAYS = 365
"""How long an entry cannot be deleted or overwritten where the bucket has object lock (governance mode)."""

_ATTEMPTS = 100
_DIGITS = 12
_LONGEST_PAUSE_S = 1.0
_READERS = 8


class ObjectChain:
    """The chain under an S3 prefix; see `Chain`."""

    def __init__(self, address: str) -> None:
        storage.parse_s3(address)
        self._address = address.rstrip("/")
        self._entries, self._copies = (storage.join(self._address, name) for name in ("entries", "copies"))

    @property
    def address(self) -> str:
        """The s3:// prefix."""
        return self._address

    def extend(self, make: Callable[[End], AuditEntry]) -> AuditEntry:
        """See `Chain`."""
        keep_until = self._keep_until()
        for attempt in range(_ATTEMPTS):
            entry = make(self._settle(keep_until))
            if self._win(entry, keep_until):
                storage.put_new(entry.line, self._copy_of(entry), keep_until)
                return entry
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, 0.02 * (attempt + 1))))
        raise StorageError(f"audit log {self._address}: others were faster {_ATTEMPTS} times; run the step again")

    def check(self) -> None:
        """See `Chain`."""
        self._settle(self._keep_until())

    def end(self) -> End:
        """See `Chain`."""
        addresses = storage.list_addresses(self._entries)
        if not addresses:
            return START
        entry = self._last_entry(addresses, [])
        return End(entry.sequence + 1, entry.digest)

    def read(self) -> Reading:
        """See `Chain`."""
        copies = storage.list_addresses(self._copies)  # before the entries: a copy is never older than its entry
        addresses = storage.list_addresses(self._entries)
        texts = _read_all(addresses)
        lines = tuple(StoredEntry(address, text) for address, text in zip(addresses, texts, strict=True))
        kept = dict(zip(copies, _read_all(copies), strict=True))
        problems: list[AuditProblem] = []
        for line in lines:
            try:
                entry = parse_entry(line.text)
            except IntegrityError:
                continue  # `check_lines` reports it
            if line.where != self._place_of(entry.sequence):
                problems.append(AuditProblem(line.where, f"holds entry {entry.sequence}: it was moved"))
            copy = self._copy_of(entry)
            if copy not in kept and not storage.exists(copy):
                problems.append(
                    AuditProblem(
                        line.where,
                        f"has no copy {copy}: the copy was removed, the entry replaced, or its writer was stopped "
                        "(then the next append makes it)",
                    )
                )
            elif kept.pop(copy, line.text) != line.text:
                problems.append(AuditProblem(copy, f"is not the entry {entry.sequence} that it is a copy of"))
        problems += [AuditProblem(copy, "its entry is not in the log: it was removed or replaced") for copy in kept]
        return Reading(lines, tuple(problems))

    def _settle(self, keep_until: datetime | None) -> End:
        """The end that the next entry follows; the last entry's copy is made first if its writer was stopped before."""
        copies = storage.list_addresses(self._copies)
        addresses = storage.list_addresses(self._entries)
        if not addresses and not copies:
            return START
        try:
            entry = self._last_entry(addresses, copies)
        except IntegrityError as error:
            raise IntegrityError(
                f"audit log {self._address}: {error}; nothing is appended: see `plimsoll audit verify --log "
                f"{self._address}`, keep its objects as evidence, and start another log"
            ) from None
        if (copy := self._copy_of(entry)) not in copies:
            storage.put_new(entry.line, copy, keep_until)
        return End(entry.sequence + 1, entry.digest)

    def _last_entry(self, addresses: list[str], copies: list[str]) -> AuditEntry:
        if not addresses or (copies and _number(copies[-1]) > _number(addresses[-1])):
            raise IntegrityError(f"its end was removed: {copies[-1]} has no entry")
        try:
            entry = parse_entry(storage.read_bytes(addresses[-1]))
        except IntegrityError as error:
            raise IntegrityError(f"{addresses[-1]} {error}") from None
        if addresses[-1] != self._place_of(entry.sequence):
            raise IntegrityError(f"{addresses[-1]} holds entry {entry.sequence}")
        return entry

    def _win(self, entry: AuditEntry, keep_until: datetime | None) -> bool:
        """Writes an entry under its number; False if another entry has it.

        boto3 repeats a request whose answer was lost, and the store refuses the second one: so a number that already
        holds this entry was won.
        """
        place = self._place_of(entry.sequence)
        if storage.put_new(entry.line, place, keep_until):
            return True
        return storage.exists(place) and storage.read_bytes(place) == entry.line.encode()

    def _place_of(self, sequence: int) -> str:
        return f"{self._entries}/{sequence:0{_DIGITS}d}.json"

    def _copy_of(self, entry: AuditEntry) -> str:
        return f"{self._copies}/{entry.sequence:0{_DIGITS}d}-{entry.digest.removeprefix('sha256:')}.json"

    def _keep_until(self) -> datetime | None:
        locked = storage.has_object_lock(self._address)
        return datetime.now(UTC) + timedelta(days=RETENTION_DAYS) if locked else None


def _number(address: str) -> str:
    """The sequence number in an object's name; as a text it sorts like the number."""
    return address.rpartition("/")[2][:_DIGITS]


def _read_all(addresses: list[str]) -> list[bytes]:
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(storage.read_bytes, addresses))
