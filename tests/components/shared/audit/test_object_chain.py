"""The log in S3: one number for one writer, and nothing that is ever overwritten."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from components.shared import storage
from components.shared.audit import AuditEntry, open_log, verify
from components.shared.audit.entry import START, End, seal
from components.shared.audit.object_chain import RETENTION_DAYS
from components.shared.errors import IntegrityError, StorageError


@pytest.fixture
def address(bucket: str, request: pytest.FixtureRequest) -> str:
    """A prefix that only this test uses."""
    return f"{bucket}/{request.node.name}"


def append(address: str, why: str = "A reason.") -> AuditEntry:
    return open_log(address).append("trained", why, {"adapter_digest": "sha256:aa"}, "toy", "run-1", who="ada")


def problems(address: str) -> list[str]:
    return [str(problem) for problem in verify(open_log(address))]


def place(address: str, sequence: int) -> str:
    return f"{address}/entries/{sequence:012d}.json"


def copy(address: str, entry: AuditEntry) -> str:
    return f"{address}/copies/{entry.sequence:012d}-{entry.digest.removeprefix('sha256:')}.json"


@pytest.fixture
def entries(address: str) -> list[AuditEntry]:
    """Three entries of the log, put as they are written."""
    end, made = START, []
    for number in range(3):
        made.append(seal(end, "trained", f"Reason {number}.", {}, "toy", f"run-{number}", "ada"))
        end = End(number + 1, made[-1].digest)
        for kept in (place(address, number), copy(address, made[-1])):
            storage.put_new(made[-1].line, kept)
    return made


def test_an_entry_is_kept_by_number_and_by_digest(address: str):
    """Each entry is an object under its number and a copy whose name holds its digest; the log is sound."""
    entries = [append(address, f"Reason {number}.") for number in range(3)]
    assert list(open_log(f"{address}/").entries()) == entries
    for entry in entries:
        for kept in (place(address, entry.sequence), copy(address, entry)):
            assert storage.read_bytes(kept) == entry.line.encode()
    assert len(storage.list_addresses(address)) == 6
    assert problems(address) == []


def test_an_empty_prefix_is_an_empty_log(address: str):
    """Reading writes nothing."""
    assert (list(open_log(address).entries()), problems(address)) == ([], [])
    assert storage.list_addresses(address) == []


def interrupting(monkeypatch: pytest.MonkeyPatch, name: str, between: Callable[[], None]) -> None:
    """Lets something happen once, just before the next call of a function of `storage`."""
    function = getattr(storage, name)

    def interrupted(*arguments):
        monkeypatch.setattr(storage, name, function)
        between()
        return function(*arguments)

    monkeypatch.setattr(storage, name, interrupted)


def test_the_slower_writer_takes_the_next_number(
    address: str, entries: list[AuditEntry], monkeypatch: pytest.MonkeyPatch
):
    """A writer that another overtook between reading and writing overwrites nothing and follows it."""
    faster: list[AuditEntry] = []
    interrupting(monkeypatch, "put_new", lambda: faster.append(append(address, "Faster.")))
    slower = append(address, "Slower.")
    assert (faster[0].sequence, slower.sequence, slower.previous) == (3, 4, faster[0].digest)
    assert problems(address) == []


def test_a_request_whose_answer_was_lost_is_not_repeated_as_another_entry(
    address: str, entries: list[AuditEntry], monkeypatch: pytest.MonkeyPatch
):
    """A refused number that holds this very entry was won before."""
    put_new = storage.put_new

    def lost(*arguments) -> bool:
        monkeypatch.setattr(storage, "put_new", put_new)
        assert put_new(*arguments) is True
        return put_new(*arguments)

    monkeypatch.setattr(storage, "put_new", lost)
    assert append(address, "Once.").sequence == 3
    assert [entry.why for entry in open_log(address).entries()].count("Once.") == 1
    assert problems(address) == []


def test_concurrent_writers_lose_nothing(address: str, monkeypatch: pytest.MonkeyPatch):
    """Four writers append three entries each, all to one chain."""
    # The test server looks and writes in two steps; S3 does both in one.
    put_new, one_at_a_time = storage.put_new, threading.Lock()

    def atomic(*arguments) -> bool:
        with one_at_a_time:
            return put_new(*arguments)

    monkeypatch.setattr(storage, "put_new", atomic)
    writers = [
        threading.Thread(target=lambda name=name: [append(address, f"{name}-{n}") for n in range(3)]) for name in "abcd"
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    whys = [entry.why for entry in open_log(address).entries()]
    for name in "abcd":
        assert [why for why in whys if why.startswith(name)] == [f"{name}-{number}" for number in range(3)]
    assert len(whys) == 12
    assert problems(address) == []


def test_a_writer_that_never_wins_says_so(address: str, monkeypatch: pytest.MonkeyPatch):
    """It gives up with an error instead of trying for ever."""
    monkeypatch.setattr("components.shared.audit.object_chain._ATTEMPTS", 2)
    monkeypatch.setattr(storage, "put_new", lambda *arguments: False)
    with pytest.raises(StorageError, match="others were faster 2 times; run the step again"):
        append(address)


def test_a_writer_stopped_before_its_copy_is_made_good(address: str, entries: list[AuditEntry]):
    """Verify names the missing copy, and the next append makes it."""
    storage.delete(copy(address, entries[-1]))
    (problem,) = problems(address)
    assert problem.startswith(f"{place(address, 2)}: has no copy")
    append(address)
    assert problems(address) == []


def remove(address: str, entries: list[AuditEntry], sequence: int) -> None:
    storage.delete(place(address, sequence))


def edit(address: str, entries: list[AuditEntry], sequence: int) -> None:
    storage.put_text(entries[sequence].line.replace("Reason", "Season"), place(address, sequence))


def replace(address: str, entries: list[AuditEntry], sequence: int) -> None:
    end = End(sequence, entries[sequence].previous)
    storage.put_text(seal(end, "trained", "Forged.", {}, "toy", "run-1", "eve").line, place(address, sequence))


def move(address: str, entries: list[AuditEntry], sequence: int) -> None:
    storage.delete(place(address, sequence))
    storage.put_text(entries[sequence].line, place(address, 7))


def insert(address: str, entries: list[AuditEntry], sequence: int) -> None:
    storage.put_text(entries[sequence].line, f"{place(address, sequence)}.bak")


def edit_copy(address: str, entries: list[AuditEntry], sequence: int) -> None:
    storage.put_text("{}", copy(address, entries[sequence]))


@pytest.mark.parametrize("sequence", [0, 2])
@pytest.mark.parametrize("spoil", [remove, edit, replace, move, insert, edit_copy])
def test_whatever_is_changed_is_found(address: str, entries: list[AuditEntry], spoil, sequence: int):
    """A removed, edited, replaced, moved or added object is a problem, the last entry's as well."""
    spoil(address, entries, sequence)
    assert problems(address)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [(remove, "its end was removed"), (edit, "was edited"), (move, "holds entry 2"), (insert, "holds entry 2")],
)
def test_nothing_is_appended_to_a_spoilt_end(address: str, entries: list[AuditEntry], spoil, says: str):
    """An append refuses rather than cover a removed or changed end."""
    spoil(address, entries, 2)
    for attempt in (lambda: append(address), open_log(address).check):
        with pytest.raises(IntegrityError, match=rf"{says}.*nothing is appended"):
            attempt()


def test_a_removed_log_is_found(address: str, entries: list[AuditEntry]):
    """Copies without any entry are not an empty log."""
    for sequence in range(3):
        storage.delete(place(address, sequence))
    assert len(problems(address)) == 3
    with pytest.raises(IntegrityError, match="its end was removed"):
        append(address)


def test_object_lock_is_used_where_the_bucket_has_it(locked_bucket: str):
    """Entry and copy cannot be deleted or overwritten for as long as the constant says."""
    address = f"{locked_bucket}/audit"
    entry = append(address)
    until = datetime.now(UTC) + timedelta(days=RETENTION_DAYS)
    for kept in (place(address, 0), copy(address, entry)):
        locked = storage._client().head_object(Bucket="locked", Key=storage.parse_s3(kept).key)
        assert locked["ObjectLockMode"] == "GOVERNANCE"
        assert abs(locked["ObjectLockRetainUntilDate"] - until) < timedelta(minutes=5)
    assert append(address).sequence == 1
    assert problems(address) == []


def test_a_log_that_cannot_be_written_says_so(bucket: str):
    """The store's own answer is in the error."""
    with pytest.raises(StorageError, match="there is no such bucket"):
        append("s3://nowhere/audit")
    with pytest.raises(StorageError, match="expected s3://BUCKET/KEY"):
        open_log("s3://plimsoll")
