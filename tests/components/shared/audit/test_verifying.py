"""Whatever is changed in a log is found, and nothing else is."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.shared.audit import open_log, verify
from components.shared.audit.chain import StoredEntry
from components.shared.audit.entry import START, End, seal
from components.shared.audit.verifying import check_lines
from components.shared.digests import digest_json

LENGTH = 6


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of six entries."""
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    for number in range(LENGTH):
        facts = {"adapter_digest": f"sha256:{number}"}
        open_log(str(path)).append("evaluated", "The same reason.", facts, "toy", f"run-{number}", who="ada")
    return path


def problems_of(sound: Path, directory: Path, content: bytes) -> list[str]:
    """What is wrong with a log of this content beside the sound log's head."""
    path = directory / "audit.jsonl"
    path.write_bytes(content)
    Path(f"{path}.head").write_bytes(Path(f"{sound}.head").read_bytes())
    return [str(problem) for problem in verify(open_log(str(path)))]


def test_an_untouched_log_has_no_problem(sound: Path, tmp_path: Path):
    """No false alarm."""
    assert verify(open_log(str(sound))) == []
    assert problems_of(sound, tmp_path, sound.read_bytes()) == []


@given(place=st.integers(min_value=0), byte=st.integers(0, 255))
def test_any_other_byte_is_found(sound: Path, tmp_path: Path, place: int, byte: int):
    """One byte anywhere, line ends included, is a problem."""
    content = bytearray(sound.read_bytes())
    place %= len(content)
    if content[place] == byte:
        byte ^= 1
    content[place] = byte
    assert problems_of(sound, tmp_path, bytes(content))


@given(lines=st.lists(st.integers(0, LENGTH - 1), max_size=LENGTH + 2))
@example(lines=list(range(LENGTH - 1)))
@example(lines=list(range(1, LENGTH)))
@example(lines=[*range(LENGTH), LENGTH - 1])
@example(lines=[])
def test_any_other_order_is_found(sound: Path, tmp_path: Path, lines: list[int]):
    """Whichever of its lines are left out, repeated or moved: only the whole log in its order is sound."""
    texts = sound.read_bytes().splitlines(keepends=True)
    found = problems_of(sound, tmp_path, b"".join(texts[number] for number in lines))
    assert (found == []) == (lines == list(range(LENGTH)))


@given(first=st.integers(0, LENGTH - 1), second=st.integers(0, LENGTH - 1))
def test_any_swap_is_found(sound: Path, tmp_path: Path, first: int, second: int):
    """Two lines that changed places are a problem."""
    lines = sound.read_bytes().splitlines(keepends=True)
    lines[first], lines[second] = lines[second], lines[first]
    assert bool(problems_of(sound, tmp_path, b"".join(lines))) == (first != second)


@given(place=st.integers(0, LENGTH), text=st.binary(max_size=30))
def test_any_inserted_line_is_found(sound: Path, tmp_path: Path, place: int, text: bytes):
    """Whatever bytes stand between two lines, a blank line included, are a problem."""
    lines = sound.read_bytes().splitlines(keepends=True)
    lines.insert(place, text + b"\n")
    assert problems_of(sound, tmp_path, b"".join(lines))


@given(place=st.integers(0, LENGTH), field=st.sampled_from(["why", "who", "time", "pipeline_run"]))
def test_a_forged_entry_is_found(sound: Path, tmp_path: Path, place: int, field: str):
    """An entry with the right number, link and seal does not fit between two others, nor at the end."""
    lines = sound.read_bytes().splitlines(keepends=True)
    before = json.loads(lines[place - 1]) if place else None
    end = End(place, before["digest"]) if before is not None else START
    forged = seal(end, "evaluated", "Forged.", {}, "toy", "run-9", "eve")
    inserted = [*lines[:place], f"{forged.line}\n".encode(), *lines[place:]]
    replaced = [*lines[:place], f"{forged.line}\n".encode(), *lines[place + 1 :]]
    for forgery in (inserted, replaced):
        assert problems_of(sound, tmp_path, b"".join(forgery))


@given(place=st.integers(0, LENGTH - 1))
def test_an_edit_under_a_new_seal_is_found(sound: Path, tmp_path: Path, place: int):
    """Who edits an entry and seals it anew breaks the link of the next entry, or the head."""
    lines = sound.read_bytes().splitlines(keepends=True)
    content = json.loads(lines[place]) | {"why": "Another reason."}
    del content["digest"]
    content["digest"] = digest_json(content)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    lines[place] = f"{text}\n".encode()
    assert problems_of(sound, tmp_path, b"".join(lines))


def test_who_rewrites_everything_is_found_by_a_digest_kept_elsewhere(sound: Path, tmp_path: Path):
    """A log and head rewritten together hold together, but lack the entry that an MLflow tag names."""
    kept = [entry.digest for entry in open_log(str(sound)).entries()]
    rewritten = open_log(str(tmp_path / "audit.jsonl"))
    rewritten.append("evaluated", "A better story.", {}, "toy", "run-0", who="ada")
    assert verify(rewritten) == []
    (problem,) = verify(rewritten, [kept[-1]])
    assert (problem.where, "kept elsewhere" in problem.what) == (kept[-1], True)
    assert verify(open_log(str(sound)), kept) == []


def test_each_break_is_told_once(sound: Path):
    """One removed entry and one edited entry are two problems, not one for every line that follows."""
    lines = [StoredEntry(f"line {number}", text) for number, text in enumerate(sound.read_bytes().splitlines(), 1)]
    lines[3] = lines[3]._replace(text=lines[3].text.replace(b"same", b"lame"))
    del lines[1]
    assert [problem.where for problem in check_lines(lines)] == ["line 3", "line 4"]
    assert "holds entry 2, expected entry 1" in check_lines(lines)[0].what
