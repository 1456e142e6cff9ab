"""The log in a local file: concurrent writers, killed writers, and ends that were cut."""

import multiprocessing
import os
import threading
from pathlib import Path

import pytest

from components.shared.audit import AuditEntry, open_log, verify
from components.shared.errors import IntegrityError, StorageError

PROCESSES, THREADS, EACH = 4, 2, 50


def append(path: Path, why: str = "A reason.") -> AuditEntry:
    return open_log(str(path)).append("trained", why, {"adapter_digest": "sha256:aa"}, "toy", "run-1", who="ada")


def problems(path: Path) -> list[str]:
    return [str(problem) for problem in verify(open_log(str(path)))]


def in_a_process(target, *arguments) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    process.start()
    return process


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of three entries."""
    path = tmp_path / "audit" / "log.jsonl"
    for number in range(3):
        append(path, f"Reason {number}.")
    return path


def test_entries_come_back_in_order(log: Path):
    """Directories are made, each entry is one line, and the log is sound."""
    assert [entry.why for entry in open_log(str(log)).entries()] == ["Reason 0.", "Reason 1.", "Reason 2."]
    assert log.read_bytes().count(b"\n") == 3
    assert problems(log) == []


def test_a_log_that_does_not_exist_is_empty(tmp_path: Path):
    """Reading makes no file."""
    path = tmp_path / "audit.jsonl"
    assert list(open_log(str(path)).entries()) == []
    assert problems(path) == []
    assert list(tmp_path.iterdir()) == []


def write_many(path: Path, name: str) -> None:
    for number in range(EACH):
        append(path, f"{name}-{number}")


def test_concurrent_writers_lose_nothing(tmp_path: Path):
    """Four processes and two threads append fifty entries each: all are there once, in each writer's order."""
    path = tmp_path / "audit.jsonl"
    processes = [in_a_process(write_many, path, f"p{number}") for number in range(PROCESSES)]
    threads = [threading.Thread(target=write_many, args=(path, f"t{number}")) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for writer in (*threads, *processes):
        writer.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    whys = [entry.why for entry in open_log(str(path)).entries()]
    names = [f"p{number}" for number in range(PROCESSES)] + [f"t{number}" for number in range(THREADS)]
    assert len(whys) == len(names) * EACH
    for name in names:
        assert [why for why in whys if why.startswith(f"{name}-")] == [f"{name}-{number}" for number in range(EACH)]
    assert problems(path) == []


def die_in_the_middle(path: Path, written: float) -> None:
    """Appends, and ends the process after that share of the line reached the file."""
    write = os.write

    def half(descriptor: int, line: bytes) -> int:
        write(descriptor, line[: int(len(line) * written)])
        os._exit(9)

    os.write = half
    append(path, "Never finished.")


def test_a_torn_line_is_moved_aside_and_kept(log: Path, capsys: pytest.CaptureFixture[str]):
    """A writer killed inside a line leaves a sound log after the next append, a warning, and its bytes."""
    whole = log.read_bytes()
    killed = in_a_process(die_in_the_middle, log, 0.5)
    killed.join()
    assert killed.exitcode == 9
    torn = log.read_bytes().removeprefix(whole)
    assert torn
    assert problems(log) == [
        f"line 4: is incomplete: its writer was stopped; the next append moves it to {log}.torn",
    ]
    assert append(log, "Next.").sequence == 3
    assert "warning: audit log" in capsys.readouterr().err
    assert Path(f"{log}.torn").read_bytes() == torn + b"\n"
    assert problems(log) == []


@pytest.mark.parametrize(("written", "entries"), [(0.0, 3), (1.0, 4)])
def test_a_writer_killed_before_or_after_its_line_is_no_problem(log: Path, written: float, entries: int):
    """Nothing was promised before the head says so, and a whole line counts."""
    in_a_process(die_in_the_middle, log, written).join()
    assert problems(log) == []
    assert append(log, "Next.").sequence == entries
    assert problems(log) == []
    assert not Path(f"{log}.torn").exists()


def test_a_writer_killed_at_the_first_entry_is_no_problem(tmp_path: Path):
    """A log that begins with a killed writer begins again."""
    path = tmp_path / "audit.jsonl"
    in_a_process(die_in_the_middle, path, 0.3).join()
    assert append(path).sequence == 0
    assert problems(path) == []


def cut_last(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def cut_newline(path: Path) -> None:
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))


def remove_head(path: Path) -> None:
    Path(f"{path}.head").unlink()


def spoil_head(path: Path) -> None:
    Path(f"{path}.head").write_text("{}")


def edit_last(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"Reason 2", b"Reason X"))


def add_by_hand(path: Path) -> None:
    other = path.with_name("other.jsonl")
    for suffix in ("", ".head"):
        Path(f"{other}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
    append(other, "Well-formed and chained, but not appended here.")
    path.write_bytes(other.read_bytes())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (cut_last, "the head record counts 3 entries, the log has 2: its end was removed"),
        (Path.unlink, "the head record counts 3 entries, the log has 0: its end was removed"),
        (cut_newline, "the last line is incomplete, though no writer was at it"),
        (remove_head, "its head record is gone"),
        (spoil_head, "is not one: Field required"),
        (edit_last, "was edited"),
        (add_by_hand, "entries were added or changed by something other than Plimsoll"),
    ],
)
def test_nothing_is_appended_to_a_spoilt_end(log: Path, spoil, says: str):
    """A cut, edited or extended end is found by verify, and an append refuses rather than cover it."""
    spoil(log)
    before = log.read_bytes() if log.exists() else None
    assert any(says in problem for problem in problems(log))
    for attempt in (lambda: append(log), open_log(str(log)).check):
        with pytest.raises(IntegrityError, match=r"nothing is appended: see `plimsoll audit verify --log ") as error:
            attempt()
        assert says in str(error.value)
    assert (log.read_bytes() if log.exists() else None) == before
    assert problems(log) != []


def test_long_entries_are_found_from_the_end(tmp_path: Path):
    """An entry longer than what is read at once is still the last one."""
    path = tmp_path / "audit.jsonl"
    log = open_log(str(path))
    for number in range(3):
        log.append("trained", "Long.", {"fact": "x" * 150_000}, "toy", f"run-{number}", who="ada")
    assert append(path).sequence == 3
    assert problems(path) == []


def test_a_copy_without_its_lock_can_be_read(log: Path, tmp_path: Path):
    """Log and head are enough to verify somewhere else."""
    copy = tmp_path / "copy.jsonl"
    for suffix in ("", ".head"):
        Path(f"{copy}{suffix}").write_bytes(Path(f"{log}{suffix}").read_bytes())
    assert problems(copy) == []
    assert not Path(f"{copy}.lock").exists()


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path):
    """The error names the log, the reason and the setting."""
    (tmp_path / "file").write_text("x")
    for attempt in (lambda: append(tmp_path / "file" / "log.jsonl"), open_log(str(tmp_path / "file" / "log")).check):
        with pytest.raises(
            StorageError, match=r"cannot be written: .*; no step goes on without its entry: .*audit_log"
        ):
            attempt()


def test_a_log_that_is_a_directory_says_so(tmp_path: Path):
    """Appending and reading both name it."""
    (tmp_path / "log").mkdir()
    with pytest.raises(StorageError, match=r"log: cannot be written: Is a directory"):
        append(tmp_path / "log")
    with pytest.raises(StorageError, match=r"log: cannot be read: Is a directory"):
        open_log(str(tmp_path / "log")).read()


def test_a_full_disk_is_named_and_leaves_a_sound_log(log: Path, monkeypatch: pytest.MonkeyPatch):
    """A part of a line is an error; the next append moves it aside."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:10]))
    with pytest.raises(StorageError, match=r"cannot be written: the disk of .* is full"):
        append(log)
    monkeypatch.undo()
    assert append(log).sequence == 3
    assert problems(log) == []
