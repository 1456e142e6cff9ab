"""The shipped policies and suites are found, and copied into a project."""

import subprocess
import sys
import sysconfig
import zipfile

import pytest

from components.shared.errors import ConfigError
from components.shared.suites.suite_files import load_suite
from pipelines.starting import shipped
from pipelines.starting.shipped import address_of, copy_shipped, readable, shipped_folder, shipped_names


def test_a_checkout_has_them(root):
    """The names are those of configs/, without the demo's."""
    assert shipped_folder() == root / "configs"
    assert "standard" in shipped_names("policies")
    assert "red-team" in shipped_names("suites")
    assert "toy" not in shipped_names("policies")


def test_an_installation_has_them_in_its_prefix(root, tmp_path, monkeypatch):
    """Without a checkout they are below share/plimsoll of the environment; else the error says where it looked."""
    monkeypatch.setattr(shipped, "CHECKOUT", tmp_path / "nowhere")
    monkeypatch.setattr(sysconfig, "get_path", lambda name, scheme=None: str(tmp_path))
    with pytest.raises(ConfigError, match="are neither in"):
        shipped_folder()
    installed = tmp_path / "share/plimsoll/configs"
    installed.parent.mkdir(parents=True)
    installed.symlink_to(root / "configs")
    assert shipped_folder() == installed


def test_the_wheel_carries_every_shipped_config(root, tmp_path):
    """What an installation looks for is in the wheel, at its place."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "components", "pipelines", "configs"):
        (tmp_path / name).symlink_to(root / name)
    script = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    made = tmp_path / "made"
    made.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script, str(made)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = made.glob("*.whl")
    held = {name.partition("share/plimsoll/configs/")[2] for name in zipfile.ZipFile(wheel).namelist()}
    configs = {path.relative_to(root / "configs").as_posix() for path in (root / "configs").rglob("*.*")}
    assert configs <= held


def test_names_and_addresses(tmp_path, monkeypatch):
    """A shipped name means the project's own copy; anything else is an address."""
    monkeypatch.chdir(tmp_path)
    assert address_of("policies", "standard") == "configs/policies/standard.yaml"
    assert address_of("policies", "mine") == "mine"
    assert address_of("suites", "s3://b/tone.yaml") == "s3://b/tone.yaml"
    assert readable("configs/policies/standard.yaml") == str(shipped_folder() / "policies/standard.yaml")


def test_what_is_copied_can_be_used_and_is_never_replaced(tmp_path, monkeypatch):
    """A suite comes with its prompts; a file that is there stays as its owner left it."""
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "configs/policies/standard.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("name: mine\n")
    names = ["configs/policies/standard.yaml", "configs/suites/tone.yaml", "s3://b/x.yaml", "own.yaml"]
    assert copy_shipped(names) == ["configs/suites/tone.jsonl", "configs/suites/tone.yaml"]
    assert mine.read_text() == "name: mine\n"
    assert load_suite("configs/suites/tone.yaml").name == "tone"
    assert copy_shipped(names) == []
