"""Champion, previous and unfinished registrations, as the audit log tells them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.audit import AuditLog, StandingReader, open_log, standing, unfinished
from components.shared.audit.entry import START, AuditEntry, seal


def entry(event: str, run: str = "run-1", model: str = "toy", **facts: str) -> AuditEntry:
    return seal(START, event, "A reason.", {"model_name": model, **facts}, "toy", run, "ada")  # type: ignore[arg-type]


def registered(version: int, adapter: str, run: str = "run-1") -> AuditEntry:
    return entry("registered", run, version=str(version), adapter_digest=adapter)


def back(left: int, champion: int, previous: str) -> AuditEntry:
    return entry("rollback", left=str(left), champion=str(champion), previous=previous)


CASES = {
    "nothing": ([], None, None),
    "one": ([registered(1, "a")], "1", None),
    "two": ([registered(1, "a"), registered(2, "b")], "2", "1"),
    "not another model's": ([entry("registered", model="other", version="9", adapter_digest="a")], None, None),
    "the higher of two at once": ([registered(1, "a"), registered(3, "c"), registered(2, "b")], "3", "2"),
    "previous is another adapter": ([registered(1, "a"), registered(2, "b"), registered(3, "b")], "3", "1"),
    "late, of the champion's adapter": ([registered(1, "a"), registered(3, "c"), registered(2, "c")], "3", "1"),
    "no other adapter": ([registered(1, "a"), registered(2, "a")], "2", None),
    "a repeated entry moves nothing": ([registered(1, "a"), registered(2, "b"), registered(1, "a")], "2", "1"),
    "rolled back": ([registered(1, "a"), registered(2, "b"), back(2, 1, "none")], "1", None),
    "after a rollback": ([registered(1, "a"), registered(2, "b"), back(2, 1, "none"), registered(3, "c")], "3", "1"),
    "undone": ([registered(1, "a"), registered(2, "b"), back(2, 1, "none"), back(1, 2, "1")], "2", "1"),
    "back to a version of an older log": ([registered(6, "a"), back(6, 5, "4")], "5", "4"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_log_tells_champion_and_previous(name: str):
    """Registrations and rollbacks in order; the newest version that was not taken back is champion."""
    entries, champion, previous = CASES[name]
    found = standing(entries, "toy")
    assert (found.champion, found.previous) == (champion, previous)


@given(st.permutations(list(range(1, 6))), st.lists(st.sampled_from("abc"), min_size=5, max_size=5))
def test_registrations_at_once_lead_to_the_same_champion(order: list[int], adapters: list[str]):
    """In whatever order the entries came: the highest version, and before it one of another adapter."""
    found = standing([registered(version, adapters[version - 1]) for version in order], "toy")
    assert found.champion == "5"
    assert found.previous is None or adapters[int(found.previous) - 1] != adapters[4]
    assert found.known == {"1", "2", "3", "4", "5"}


def test_what_was_begun_and_not_finished_is_told():
    """A registration is finished by its own run, or by another one that takes its version."""
    first = entry("registering", "run-1", adapter_digest="a")
    second = entry("registering", "run-2", adapter_digest="b")
    assert unfinished([first, second], "toy") == [first, second]
    assert unfinished([first, second, registered(1, "a")], "toy") == [second]
    assert unfinished([first, second, registered(1, "a", "run-3")], "toy") == [second]
    assert unfinished([first, second], "other") == []


def test_a_reader_looks_again_when_the_log_has_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Entries of others are seen at the next call; without any the log is not read again."""
    log = open_log(str(tmp_path / "log.jsonl"))
    read = StandingReader(log, "toy")
    assert read().champion is None
    facts = {"model_name": "toy", "version": "1", "adapter_digest": "a"}
    open_log(log.address).append("registered", "A reason.", facts, "toy", "run-1", "ada")
    assert read().champion == "1"

    def refuse(self: AuditLog) -> None:
        raise AssertionError("the log is read again")

    monkeypatch.setattr(AuditLog, "entries", refuse)
    assert read().champion == "1"


def test_a_reader_reads_from_s3(bucket: str):
    """The end of the log is found there too."""
    log = open_log(f"{bucket}/audit")
    read = StandingReader(log, "toy")
    assert read().champion is None
    for version in ("1", "2"):
        facts = {"model_name": "toy", "version": version, "adapter_digest": version}
        log.append("registered", "A reason.", facts, "toy", "run-1", "ada")
        assert read().champion == version
