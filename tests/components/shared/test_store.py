"""The content-addressed store."""

from pathlib import Path

import pytest

from components.shared.errors import IntegrityError, StorageError
from components.shared.store import ANSWERS_KIND, Store

KEY = "sha256:abc"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    directory = tmp_path / "work"
    (directory / "sub").mkdir(parents=True)
    (directory / "a.txt").write_text("one")
    (directory / "sub" / "b.txt").write_text("two")
    return directory


def test_what_is_put_is_fetched(store: Store, work: Path, tmp_path: Path):
    """All files of an entry come back, in their folders."""
    store.put(ANSWERS_KIND, KEY, work)
    assert store.fetch(ANSWERS_KIND, KEY, tmp_path / "out") is True
    assert (tmp_path / "out" / "a.txt").read_text() == "one"
    assert (tmp_path / "out" / "sub" / "b.txt").read_text() == "two"


def test_an_unknown_key_is_no_entry(store: Store, work: Path, tmp_path: Path):
    """Another key, or another kind, is not there; nothing is written."""
    store.put(ANSWERS_KIND, KEY, work)
    assert store.fetch(ANSWERS_KIND, "sha256:abd", tmp_path / "out") is False
    assert store.fetch("adapters", KEY, tmp_path / "out") is False
    assert not (tmp_path / "out").exists()


def test_an_entry_without_its_index_is_no_entry(store: Store, work: Path, tmp_path: Path):
    """What a killed run left half written is not taken for finished work."""
    store.put(ANSWERS_KIND, KEY, work)
    (tmp_path / "store" / ANSWERS_KIND / "abc" / "entry.json").unlink()
    assert store.fetch(ANSWERS_KIND, KEY, tmp_path / "out") is False


def test_a_changed_file_is_refused_and_not_left_behind(store: Store, work: Path, tmp_path: Path):
    """A stored file with another digest is an IntegrityError that says what to remove."""
    store.put(ANSWERS_KIND, KEY, work)
    (tmp_path / "store" / ANSWERS_KIND / "abc" / "a.txt").write_text("One")
    with pytest.raises(IntegrityError, match=r"a\.txt: has digest .*; remove .*abc and run again"):
        store.fetch(ANSWERS_KIND, KEY, tmp_path / "out")
    assert not (tmp_path / "out" / "a.txt").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', "\x00"])
def test_a_damaged_index_is_refused(store: Store, work: Path, tmp_path: Path, text: str):
    """An index that cannot be read is an IntegrityError, not a traceback."""
    store.put(ANSWERS_KIND, KEY, work)
    (tmp_path / "store" / ANSWERS_KIND / "abc" / "entry.json").write_text(text)
    with pytest.raises(IntegrityError, match=r"entry.json: is damaged"):
        store.fetch(ANSWERS_KIND, KEY, tmp_path / "out")


def test_a_lost_file_is_a_storage_error(store: Store, work: Path, tmp_path: Path):
    """A file that the index names and the store lost is not skipped."""
    store.put(ANSWERS_KIND, KEY, work)
    (tmp_path / "store" / ANSWERS_KIND / "abc" / "a.txt").unlink()
    with pytest.raises(StorageError, match=r"a\.txt"):
        store.fetch(ANSWERS_KIND, KEY, tmp_path / "out")


def test_an_entry_that_is_being_replaced_is_no_entry(store: Store, work: Path, tmp_path: Path):
    """A process that is killed while it replaces an entry leaves none, rather than one that is refused."""
    store.put(ANSWERS_KIND, KEY, work)
    (tmp_path / "store" / ANSWERS_KIND / "abc" / "b").mkdir(parents=True, exist_ok=True)
    (work / "b").write_text("cannot be written where a directory stands")
    with pytest.raises(StorageError):
        store.put(ANSWERS_KIND, KEY, work)
    assert store.fetch(ANSWERS_KIND, KEY, tmp_path / "out") is False


def test_putting_twice_is_harmless(store: Store, work: Path, tmp_path: Path):
    """Storing the same work again leaves it as it was."""
    store.put(ANSWERS_KIND, KEY, work)
    store.put(ANSWERS_KIND, KEY, work)
    assert store.fetch(ANSWERS_KIND, KEY, tmp_path / "out") is True


def test_a_removed_entry_is_gone(store: Store, work: Path, tmp_path: Path):
    """Files and folders too; what lies beside it stays, and nothing happens where there is none."""
    store.put(ANSWERS_KIND, KEY, work)
    store.put(ANSWERS_KIND, "sha256:abcd", work)
    assert sorted(store.files(ANSWERS_KIND, KEY)) == ["a.txt", "sub/b.txt"]
    store.remove(ANSWERS_KIND, KEY)
    store.remove(ANSWERS_KIND, KEY)
    assert store.files(ANSWERS_KIND, KEY) is None
    assert [path.name for path in (tmp_path / "store" / ANSWERS_KIND).iterdir()] == ["abcd"]


def test_an_entry_without_files_is_an_entry(store: Store, tmp_path: Path):
    """Finished work may be that there was nothing to keep."""
    (tmp_path / "nothing").mkdir()
    store.put(ANSWERS_KIND, KEY, tmp_path / "nothing")
    assert store.fetch(ANSWERS_KIND, KEY, tmp_path / "out") is True
    assert store.files(ANSWERS_KIND, KEY) == {}


def test_an_entry_in_s3_is_removed_and_no_other(bucket: str, work: Path, tmp_path: Path):
    """A key that begins like another is another."""
    store = Store(f"{bucket}/{tmp_path.name}")
    store.put(ANSWERS_KIND, KEY, work)
    store.put(ANSWERS_KIND, "sha256:abcd", work)
    store.remove(ANSWERS_KIND, KEY)
    assert not store.has(ANSWERS_KIND, KEY)
    assert store.fetch(ANSWERS_KIND, "sha256:abcd", tmp_path / "out")


def test_an_entry_that_may_not_be_removed_is_named(store: Store, work: Path, monkeypatch: pytest.MonkeyPatch):
    """A disk that refuses is a StorageError with the address."""
    store.put(ANSWERS_KIND, KEY, work)

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(StorageError, match=r"abc: Permission denied"):
        store.remove(ANSWERS_KIND, KEY)
