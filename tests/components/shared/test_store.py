"""The content-addressed store."""

import json
import shutil
from pathlib import Path

import pytest

from components.shared.digests import digest_bytes
from components.shared.errors import ConfigError, IntegrityError, StorageError
from components.shared.store import ANSWERS_KIND, Store
from tests.support.hostile_names import HOSTILE

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


@pytest.mark.parametrize("name", HOSTILE)
def test_an_index_that_names_a_file_elsewhere_is_refused(name: str, store: Store, work: Path, tmp_path: Path):
    """Nothing is written anywhere, and the error names the index and the cure."""
    store.put(ANSWERS_KIND, KEY, work)
    entry = tmp_path / "store" / ANSWERS_KIND / "abc"
    (tmp_path / "store" / "x").write_text("planted")
    (entry / "entry.json").write_text(json.dumps({"files": {name: digest_bytes(b"planted")}}))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(IntegrityError, match=r"entry\.json: is damaged .*; remove it and run again"):
        store.fetch(ANSWERS_KIND, KEY, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("digest", [None, "", 3, "sha256:abc", ["sha256:" + "0" * 64]])
def test_an_index_without_a_digest_is_refused(digest: object, store: Store, work: Path, tmp_path: Path):
    """A file without a digest would not be checked."""
    store.put(ANSWERS_KIND, KEY, work)
    index = tmp_path / "store" / ANSWERS_KIND / "abc" / "entry.json"
    index.write_text(json.dumps({"files": {"a.txt": digest}}))
    with pytest.raises(IntegrityError, match=r"'a\.txt' has digest"):
        store.fetch(ANSWERS_KIND, KEY, tmp_path / "out")


def test_a_link_in_the_target_is_not_followed(store: Store, work: Path, tmp_path: Path):
    """A folder of the target that leads elsewhere is refused."""
    store.put(ANSWERS_KIND, KEY, work)
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="symbolic link"):
        store.fetch(ANSWERS_KIND, KEY, tmp_path / "out")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("key", ["sha256:../abc", "../../abc", "", "a//b"])
def test_a_key_that_leaves_the_store_is_refused(key: str, store: Store, work: Path, tmp_path: Path):
    """Keys cross from step to step as texts; none leads out of its kind's folder."""
    with pytest.raises(StorageError, match="is asked for a wrong entry"):
        store.put(ANSWERS_KIND, key, work)
    with pytest.raises(StorageError, match="is asked for a wrong entry"):
        store.fetch(ANSWERS_KIND, key, tmp_path / "out")


def test_a_file_whose_name_is_not_plain_is_not_stored(store: Store, work: Path):
    """What could not be fetched again is refused when it is stored."""
    (work / "a\\b").write_text("odd")
    with pytest.raises(StorageError, match=r"cannot be stored: .*backslash"):
        store.put(ANSWERS_KIND, KEY, work)


SIGNING = "5f0c2f6e9d6b4a1c8e7d3b2a19080706"


@pytest.fixture
def signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("STORE_KEY", SIGNING)
    return Store(str(tmp_path / "store"), "STORE_KEY")


def _index_of(tmp_path: Path, key: str = "abc") -> Path:
    return tmp_path / "store" / ANSWERS_KIND / key / "entry.json"


def test_a_signed_entry_is_fetched_with_the_key_and_without(signed: Store, store: Store, work: Path, tmp_path: Path):
    """A store without a key reads signed entries as any other; the key is in no file."""
    signed.put(ANSWERS_KIND, KEY, work)
    assert signed.fetch(ANSWERS_KIND, KEY, tmp_path / "out") is True
    assert store.fetch(ANSWERS_KIND, KEY, tmp_path / "again") is True
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SIGNING in path.read_text()]


def test_answers_edited_with_their_digests_are_refused(signed: Store, work: Path, tmp_path: Path):
    """Someone who may write the store, but has no key, cannot change an answer: not even with both digests."""
    signed.put(ANSWERS_KIND, KEY, work)
    _index_of(tmp_path).with_name("a.txt").write_text("forged")
    index = json.loads(_index_of(tmp_path).read_text())
    index["files"]["a.txt"] = digest_bytes(b"forged")
    _index_of(tmp_path).write_text(json.dumps(index))
    with pytest.raises(
        IntegrityError, match=r"has a signature that does not fit it; expected .* STORE_KEY: .*; remove "
    ):
        signed.fetch(ANSWERS_KIND, KEY, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("signature", [None, "", 7, "hmac-sha256:" + "0" * 64, {"a": 1}])
def test_an_entry_without_a_signature_is_refused_with_a_key(
    signature: object, signed: Store, store: Store, work: Path, tmp_path: Path
):
    """Entries from before the key was named, and invented signatures."""
    store.put(ANSWERS_KIND, KEY, work)
    index = json.loads(_index_of(tmp_path).read_text())
    if signature is not None:
        index["signature"] = signature
    _index_of(tmp_path).write_text(json.dumps(index))
    with pytest.raises(IntegrityError, match=r"has (no signature|a signature that does not fit it); expected one with"):
        signed.files(ANSWERS_KIND, KEY)
    signed.put(ANSWERS_KIND, KEY, work)
    assert signed.files(ANSWERS_KIND, KEY) is not None


def test_a_signed_entry_cannot_be_moved(signed: Store, work: Path, tmp_path: Path):
    """The answers of one model are not those of another: kind and key are signed too."""
    signed.put(ANSWERS_KIND, KEY, work)
    shutil.copytree(_index_of(tmp_path).parent, _index_of(tmp_path, "abd").parent)
    with pytest.raises(IntegrityError, match="does not fit it"):
        signed.fetch(ANSWERS_KIND, "sha256:abd", tmp_path / "out")
    shutil.copytree(tmp_path / "store" / ANSWERS_KIND, tmp_path / "store" / "adapters")
    with pytest.raises(IntegrityError, match="does not fit it"):
        signed.fetch("adapters", KEY, tmp_path / "out")


def test_a_store_elsewhere_has_the_same_key(signed: Store, work: Path, tmp_path: Path):
    """Checkpoints at an address of their own are signed as well."""
    other = signed.at(str(tmp_path / "other"))
    other.put(ANSWERS_KIND, KEY, work)
    assert "signature" in json.loads((tmp_path / "other" / ANSWERS_KIND / "abc" / "entry.json").read_text())


def test_a_store_does_not_open_without_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A step that lacks the variable fails before it believes or writes anything."""
    monkeypatch.delenv("STORE_KEY", raising=False)
    with pytest.raises(ConfigError, match="STORE_KEY is not set; expected"):
        Store(str(tmp_path), "STORE_KEY")
