"""Where a benchmark's bytes come from."""

from pathlib import Path

import pytest

from components.shared.errors import ConfigError, StorageError
from components.shared.suites.benchmarks.sources import fetch_source, locate

REVISION = "a" * 40


def test_a_path_is_read(tmp_path: Path):
    """A local file needs no scheme; one that is missing says where it was looked for."""
    (tmp_path / "f.csv").write_bytes(b"a")
    assert fetch_source(str(tmp_path / "f.csv")) == b"a"
    with pytest.raises(StorageError, match=r"g.csv: no such file \(looked in "):
        fetch_source(str(tmp_path / "g.csv"))


def test_a_relative_source_is_found_from_the_working_directory_or_the_suite(tmp_path: Path, monkeypatch):
    """A step that runs elsewhere finds the file that the launcher found."""
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    suite = project / "configs" / "suites" / "s.yaml"
    for folder in (suite.parent, project / "data", elsewhere):
        folder.mkdir(parents=True)
    (project / "data" / "f.csv").write_bytes(b"a")
    monkeypatch.chdir(project)
    assert locate("data/f.csv", "configs/suites/s.yaml") == "data/f.csv"
    monkeypatch.chdir(elsewhere)
    assert locate("data/f.csv", str(suite)) == str(project / "data" / "f.csv")
    assert locate("data/g.csv", str(suite)) == "data/g.csv"
    assert locate("data/f.csv", "s3://bucket/s.yaml") == "data/f.csv"
    assert locate("s3://bucket/f.csv", str(suite)) == "s3://bucket/f.csv"
    assert locate(str(project / "f.csv"), str(suite)) == str(project / "f.csv")


def test_a_hub_address_has_four_parts():
    """A revision is one of them, for a name alone may change its content."""
    for address in ("hub://org/name/f.csv", "hub://name@main/f.csv", "hub://org/name@main", "hub://org/name@/f.csv"):
        with pytest.raises(ConfigError, match=r"expected hub://ORG/NAME@REVISION( or hub://ORG/NAME@REVISION)?/FILE"):
            fetch_source(address)


def test_a_hub_file_is_read_through_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file that the hub's client has cached is read without a network; another one is named with a cure."""
    snapshot = tmp_path / "datasets--org--name" / "snapshots" / REVISION / "data"
    snapshot.mkdir(parents=True)
    (snapshot / "f.csv").write_bytes(b"a")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert fetch_source(f"hub://org/name@{REVISION}/data/f.csv") == b"a"
    with pytest.raises(StorageError, match=r"g.csv: is not in the local cache, and the hub cannot be reached: .*path"):
        fetch_source(f"hub://org/name@{REVISION}/data/g.csv")
    with pytest.raises(StorageError, match=r"hub://org/na--me@main/f.csv: .*repo_id"):
        fetch_source("hub://org/na--me@main/f.csv")
