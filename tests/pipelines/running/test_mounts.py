"""What a step in a container sees of this machine."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.config.anchoring import anchor
from components.shared.config.reading import load_pipeline_config
from components.shared.config.sections import PipelineConfig
from pipelines.running.mounts import environment_of, files_named_by, mounts_of, outermost

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(lambda parts: Path("/", *parts))
MOUNTS = st.dictionaries(PATHS, st.sampled_from(["ro", "rw"]), max_size=8)


@pytest.fixture
def demo(root) -> PipelineConfig:
    return load_pipeline_config(str(root / "configs/pipelines/demo-careful.yaml"))


def mode_at(mounts, path: Path) -> str | None:
    """The mode of a path: that of the nearest mount at or above it."""
    return next((mounts[place] for place in (path, *path.parents) if place in mounts), None)


@given(mounts=MOUNTS)
def test_the_outermost_mounts_hide_nothing(mounts):
    """Without the covered mounts every path is still mounted, and writable paths stay writable."""
    kept = outermost(mounts)
    assert kept.items() <= mounts.items()
    for path, mode in mounts.items():
        assert mode_at(kept, path) == "rw" if mode == "rw" else mode_at(kept, path) is not None


def test_the_project_is_read_and_what_a_run_makes_is_written(demo, tmp_path):
    """The demo's project is read-only but for its store, its MLflow database, its audit log and the run's folder."""
    mounts = mounts_of(anchor(demo, tmp_path), tmp_path, tmp_path / ".plimsoll/runs/1")
    assert mounts == {tmp_path: "ro", tmp_path / ".plimsoll": "rw"}


def test_what_is_outside_the_project_is_mounted_as_it_is_used(demo, tmp_path):
    """A model, data and suites elsewhere on this machine are seen under their own names, and not writable.

    Checkpoints are written.
    """
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    config = demo.model_copy(
        update={
            "base_model": demo.base_model.model_copy(update={"path": str(elsewhere / "model")}),
            "data": demo.data.model_copy(update={"train": str(elsewhere / "data/rows.jsonl"), "mix": ()}),
            "suites": (str(elsewhere / "suites/one.yaml"), "s3://bucket/two.yaml"),
            "checkpoints": demo.checkpoints.model_copy(update={"store": str(elsewhere / "checkpoints")}),
        }
    )
    mounts = mounts_of(anchor(config, project), project, project / ".plimsoll/runs/1")
    assert {path: mode for path, mode in mounts.items() if elsewhere in path.parents} == {
        elsewhere / "model": "ro",
        elsewhere / "data": "ro",
        elsewhere / "suites": "ro",
        elsewhere / "checkpoints": "rw",
    }


def test_a_symbolic_link_comes_with_its_target(demo, tmp_path):
    """A base model behind a link out of the project is mounted where the link leads."""
    project, target = tmp_path / "project", tmp_path / "models/base"
    target.mkdir(parents=True)
    project.mkdir()
    (project / "base").symlink_to(target)
    base = demo.base_model.model_copy(update={"path": "base"})
    mounts = mounts_of(anchor(demo.model_copy(update={"base_model": base}), project), project, project / "run")
    assert mounts[target] == "ro"


def test_nothing_in_buckets_and_on_servers_is_mounted(demo, tmp_path):
    """With store and log in a bucket and a tracking server, the run's folder alone is writable."""
    tracking = demo.tracking.model_copy(update={"uri": "http://mlflow:5000", "audit_log": "s3://bucket/audit"})
    config = demo.model_copy(update={"tracking": tracking, "store": "s3://bucket/store"})
    mounts = mounts_of(anchor(config, tmp_path), tmp_path, tmp_path / ".plimsoll/runs/1")
    assert mounts == {tmp_path: "ro", tmp_path / ".plimsoll/runs/1": "rw"}


@pytest.mark.parametrize("what", ["model", "data"])
def test_what_comes_from_the_hub_is_kept_between_containers(demo, tmp_path, monkeypatch, what: str):
    """The hub's cache of this machine is mounted, writable, where a model or the rows come from the hub."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    base = demo.base_model.model_copy(update={"path": None, "hub_id": "org/model", "revision": "abc"})
    data = demo.data.model_copy(update={"train": "hub://org/rows@main"})
    config = demo.model_copy(update={"base_model": base} if what == "model" else {"data": data})
    assert mounts_of(anchor(config, tmp_path / "p"), tmp_path / "p", tmp_path / "p/run")[tmp_path / "cache"] == "rw"


def test_credentials_and_settings_pass_and_the_rest_does_not(demo):
    """Variables pass by name and prefix; no other variable reaches a container."""
    environment = {
        "AWS_ACCESS_KEY_ID": "id",
        "MLFLOW_TRACKING_TOKEN": "token",
        "https_proxy": "http://proxy.example.com",
        "PATH": "/usr/bin",
        "HOME": "/users/someone",
        "GITHUB_TOKEN": "no",
    }
    assert set(environment_of(demo, environment)) == {"AWS_ACCESS_KEY_ID", "MLFLOW_TRACKING_TOKEN", "https_proxy"}


def test_the_keys_that_a_config_names_pass(demo):
    """The store's key under the name that the config gives, and a database's password."""
    named = demo.model_copy(update={"store_key_env": "STORE_KEY"})
    environment = {"STORE_KEY": "k", "PGPASSWORD": "p", "OTHER_KEY": "o"}
    assert set(environment_of(named, environment)) == {"STORE_KEY", "PGPASSWORD"}
    assert set(environment_of(demo, environment)) == {"PGPASSWORD"}


def test_files_that_variables_name_are_seen(tmp_path):
    """A certificate bundle or a credentials file is mounted read-only; other values are not taken for paths."""
    bundle = tmp_path / "ca.crt"
    bundle.write_text("certificate")
    mounts = files_named_by(
        {"AWS_CA_BUNDLE": str(bundle), "AWS_REGION": "eu-west-1", "OMP_NUM_THREADS": "/", "HF_X": "/n"}
    )
    assert mounts == {bundle: "ro"}
