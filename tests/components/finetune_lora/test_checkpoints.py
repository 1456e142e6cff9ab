"""What an unfinished training leaves, and what its next attempt finds."""

from pathlib import Path

import pytest

from components.finetune_lora.checkpoints import Checkpoints
from components.shared.errors import StorageError
from components.shared.store import Store


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture(params=["disk", "bucket", "rclone_bucket"])
def place(request, tmp_path: Path) -> str:
    """A store on disk, and one on each S3 server."""
    if request.param == "disk":
        return str(tmp_path / "store")
    return f"{request.getfixturevalue(request.param)}/{tmp_path.name}"


@pytest.fixture
def make(place: str, said: list[str]):
    def make(key: str = "sha256:key", every_minutes: float | None = 10, clock: Clock | None = None) -> Checkpoints:
        return Checkpoints(Store(place), key, every_minutes, said.append, clock or Clock())

    return make


@pytest.fixture
def written(tmp_path: Path):
    """Makes the folder of a checkpoint, as transformers does."""

    def write(step: int) -> Path:
        folder = tmp_path / "scratch" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "trainer_state.json").write_text(f'{{"global_step": {step}}}')
        (folder / "optimizer.pt").write_bytes(b"moments" * step)
        return folder

    return write


def _state(folder: Path | None) -> str | None:
    return (folder / "trainer_state.json").read_text() if folder is not None else None


def test_the_newest_is_found(make, written, tmp_path: Path):
    """Of several, the next attempt gets the last, with its files; what was on disk is gone."""
    checkpoints = make()
    for step in (9, 10, 110):
        checkpoints.keep(written(step))
    assert list((tmp_path / "scratch").iterdir()) == []
    found = make().restore(tmp_path / "found")
    assert found is not None
    assert found.name == "checkpoint-110"
    assert _state(found) == '{"global_step": 110}'
    assert (found / "optimizer.pt").read_bytes() == b"moments" * 110


def test_there_is_none_at_first(make, written, tmp_path: Path):
    """Nor is another training's taken."""
    make("sha256:other").keep(written(3))
    assert make().restore(tmp_path / "found") is None
    assert not (tmp_path / "found").exists()


def test_one_is_due_every_so_many_minutes(make, written):
    """Counted from the beginning, and from the one before; never where none is wanted."""
    clock = Clock()
    checkpoints, none = make(clock=clock), make(every_minutes=None, clock=clock)
    clock.now = 599
    assert not checkpoints.due()
    clock.now = 600
    assert checkpoints.due()
    checkpoints.keep(written(1))
    assert not checkpoints.due()
    clock.now = 1200
    assert checkpoints.due()
    assert not none.due()


def test_the_one_before_survives_while_the_next_is_written(
    make, written, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A store that fails half way stops no training, and the older checkpoint is still there."""
    from components.shared import storage

    checkpoints = make()
    checkpoints.keep(written(1))
    checkpoints.keep(written(2))
    put = storage.put

    def full(source: Path, address: str, sha256: str | None = None) -> None:
        if source.name == "trainer_state.json":
            raise StorageError(f"{address}: No space left on device")
        put(source, address, sha256)

    monkeypatch.setattr(storage, "put", full)
    checkpoints.keep(written(3))
    monkeypatch.undo()
    assert "checkpoint-3 could not be kept, training goes on without it" in said[-1]
    assert "No space left on device" in said[-1]
    assert _state(make().restore(tmp_path / "found")) == '{"global_step": 2}'
    make().keep(written(4))
    assert _state(make().restore(tmp_path / "again")) == '{"global_step": 4}'


@pytest.mark.parametrize("damage", ["file", "index"])
def test_a_damaged_one_is_not_used(make, written, place: str, said: list[str], tmp_path: Path, damage: str):
    """The older one is taken instead, and it is said."""
    from components.shared import storage

    checkpoints = make()
    checkpoints.keep(written(1))
    checkpoints.keep(written(2))
    name = "checkpoint-2/optimizer.pt" if damage == "file" else "entry.json"
    storage.put_text("damaged", storage.join(place, "checkpoints/key/1", name))
    assert _state(make().restore(tmp_path / "found")) == '{"global_step": 1}'
    expected = {"file": "the checkpoint of step 2 is not used: ", "index": "a checkpoint is not used: "}
    assert said[-1].startswith(expected[damage])


def test_nothing_is_left_when_the_training_is_over(make, written, place: str, tmp_path: Path):
    """Both are removed, in the store too; another training's stay."""
    from components.shared import storage

    checkpoints, other = make(), make("sha256:other")
    other.keep(written(7))
    checkpoints.keep(written(1))
    checkpoints.keep(written(2))
    checkpoints.drop()
    checkpoints.drop()
    assert not storage.exists(storage.join(place, "checkpoints/key/0/checkpoint-1/optimizer.pt"))
    assert make().restore(tmp_path / "found") is None
    assert _state(other.restore(tmp_path / "other")) == '{"global_step": 7}'


def test_a_store_that_is_away_leaves_nothing_on_the_disk(
    make, written, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Whatever step of keeping fails, the checkpoint does not stay: a training of days would fill the disk."""

    def refuse(*_: object) -> None:
        raise StorageError("s3://b/store: no connection")

    for number, call in enumerate(("files", "remove", "put"), start=1):
        with monkeypatch.context() as patched:
            patched.setattr(Store, call, refuse)
            make().keep(written(number))
        assert (
            said[-1]
            == f"checkpoint-{number} could not be kept, training goes on without it: s3://b/store: no connection"
        )
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_cannot_be_removed_is_said(make, said: list[str], monkeypatch: pytest.MonkeyPatch):
    """A finished training does not fail over its leavings."""

    def refuse(*_: object) -> None:
        raise StorageError("s3://b/store: may not be deleted")

    monkeypatch.setattr(Store, "remove", refuse)
    make().drop()
    assert said == ["the checkpoints could not be removed: s3://b/store: may not be deleted"]
