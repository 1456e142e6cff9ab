"""Only plain relative names become paths."""

from pathlib import Path

import pytest

from components.shared.plain_names import path_below, plain_name
from tests.support.hostile_names import HOSTILE


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_is_not_plain_is_refused(name: str, tmp_path: Path):
    """Whatever way it is hostile, the error says what was expected, on one line."""
    with pytest.raises(ValueError, match=r"expected a plain relative name such as folder/file\.json") as refused:
        path_below(tmp_path, name)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["a.json", "sub/b.txt", "..a", "a..b/c", "ä ö/ü.json", "checkpoint-1/x"])
def test_a_plain_name_is_a_file_below_the_folder(name: str, tmp_path: Path):
    """Folders, dots inside a part, spaces and letters of any script are allowed."""
    assert plain_name(name) == name
    assert path_below(tmp_path, name) == tmp_path / name


def test_a_link_in_the_folder_is_not_followed_out_of_it(tmp_path: Path):
    """A folder's link to elsewhere makes a plain name leave it, so it is refused; a link inside is fine."""
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    (folder / "real").mkdir(parents=True)
    elsewhere.mkdir()
    (folder / "out").symlink_to(elsewhere)
    (folder / "in").symlink_to(folder / "real")
    with pytest.raises(ValueError, match="symbolic link"):
        path_below(folder, "out/x.json")
    assert path_below(folder, "in/x.json") == folder / "in" / "x.json"
