"""Kubeflow's MLflow plugin: its run is named by ours, and left as it is. On a real sqlite store."""

import os

import pytest

from components.shared.tracking.injected import INJECTED_TAG, OURS_TAG, VARIABLE
from components.shared.tracking.registry import LoggedAdapter, ensure_version
from components.shared.tracking.runs import Tracker

MODEL_FILE = """
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Echo(PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


set_model(Echo())
"""


@pytest.fixture
def plugin(tracker: Tracker, monkeypatch):
    """The plugin's run of a pipeline run and of one task, the latter injected."""
    whole = tracker.client.create_run(tracker.experiment_id, run_name="kfp")
    task = tracker.client.create_run(
        tracker.experiment_id, run_name="task", tags={"mlflow.parentRunId": whole.info.run_id}
    )
    monkeypatch.setenv(VARIABLE, task.info.run_id)
    return whole.info.run_id, task.info.run_id


def _run(tracker: Tracker, run_id: str):
    return tracker.client.get_run(run_id)


def test_both_sides_name_each_other(tracker: Tracker, plugin):
    """Our stage and parent name the plugin's runs, and its task names our stage."""
    whole, task = plugin
    with tracker.stage("prepare_data") as stage:
        pass
    assert _run(tracker, stage.run_id).data.tags[INJECTED_TAG] == task
    assert tracker.parent().read_tags()[INJECTED_TAG] == whole
    assert _run(tracker, task).data.tags[OURS_TAG] == stage.run_id


@pytest.mark.parametrize("fails", [False, True])
def test_the_injected_run_is_never_ended(tracker: Tracker, plugin, fails):
    """Stages end, fail, and the parent is closed: the plugin's runs stay open, without our figures."""
    try:
        with tracker.stage("check_gate") as stage:
            stage.metrics({"rows": 1.0})
            if fails:
                raise ValueError("no")
    except ValueError:
        pass
    tracker.close("FAILED" if fails else "FINISHED")
    for run_id in plugin:
        run = _run(tracker, run_id)
        assert (run.info.status, run.info.end_time, run.data.metrics) == ("RUNNING", None, {})
    assert _run(tracker, stage.run_id).info.status == ("FAILED" if fails else "FINISHED")


def test_the_injected_run_is_none_of_our_stages(tracker: Tracker, plugin):
    """It is no failure of ours, and no parent."""
    tracker.client.set_terminated(plugin[1], "FAILED")
    with tracker.stage("prepare_data"):
        pass
    assert tracker.failures() == []
    assert tracker.parent().run_id not in plugin


def test_registering_leaves_the_injected_run_open(tracker: Tracker, plugin, tmp_path):
    """The one place that uses mlflow's global functions logs to our stage, and does not end the plugin's run."""
    adapter, model_file = tmp_path / "adapter", tmp_path / "model.py"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    model_file.write_text(MODEL_FILE)
    logged = LoggedAdapter("model", adapter, model_file, {"base_path": "b"}, {}, ["mlflow"], {}, "d")
    with tracker.stage("register_adapter") as stage:
        version = ensure_version(tracker, stage, logged).version
    assert tracker.client.get_model_version("model", version).run_id == stage.run_id
    for run_id in plugin:
        assert _run(tracker, run_id).info.status == "RUNNING"


def test_a_run_of_another_store_disturbs_nothing(tracker: Tracker, monkeypatch):
    """An injected id that our store does not know is kept as it is on our runs, and the stage ends as ever."""
    monkeypatch.setenv(VARIABLE, "0123456789abcdef0123456789abcdef")
    with tracker.stage("prepare_data") as stage:
        pass
    assert _run(tracker, stage.run_id).info.status == "FINISHED"
    assert tracker.parent().read_tags()[INJECTED_TAG] == "0123456789abcdef0123456789abcdef"


def test_without_the_plugin_nothing_is_tagged(tracker: Tracker, monkeypatch):
    """No variable, or an empty one: no tag."""
    for value in (None, " "):
        monkeypatch.delenv(VARIABLE, raising=False)
        if value is not None:
            monkeypatch.setenv(VARIABLE, value)
        with tracker.stage("prepare_data") as stage:
            pass
        assert INJECTED_TAG not in _run(tracker, stage.run_id).data.tags
    assert INJECTED_TAG not in tracker.parent().read_tags()
    assert os.environ[VARIABLE] == " "
