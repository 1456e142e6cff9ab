"""`plimsoll doctor`: what it looks at, and what it makes of it."""

import pytest

from components.shared.config.anchoring import anchor
from components.shared.tracking.runs import open_client
from pipelines.running.launch import load
from pipelines.starting import diagnosis
from pipelines.starting.devices import Device, gpus, main_memory
from pipelines.starting.diagnosis import config_symptoms, machine_symptoms


def words(table: str) -> str:
    """The text of a table whose cells have several lines."""
    return " ".join(table.replace("│", " ").split())


def states(symptoms) -> dict[str, str]:
    return {symptom.subject: symptom.state for symptom in symptoms}


def of_config(project, *overrides: str, for_cluster: bool = False):
    config = anchor(load("config.yaml", overrides).config, project.folder)
    return {symptom.subject: symptom for symptom in config_symptoms(config, for_cluster)}


def test_a_machine_that_runs_the_tests_has_everything(call, monkeypatch, tmp_path):
    """Versions, devices, disk and container tools are shown, and the exit code is 0."""
    monkeypatch.chdir(tmp_path)
    called = call("doctor")
    assert called.code == 0, called.out
    assert [
        name for name in ("Python", "torch", "mlflow", "GPU", "memory", "disk here") if name not in called.out
    ] == []
    assert "nothing stops a run; 0 warnings" in called.out


def test_a_good_project_has_no_problem(call, project):
    """What a preflight checks is in the table, besides the memory."""
    called = call("doctor", "config.yaml")
    assert called.code == 0, called.out
    for subject in ("memory for training", "memory for evaluation", "chat template", "audit log", "MLflow", "data"):
        assert subject in called.out


def test_every_problem_is_shown_at_once(call, tracked_project):
    """A missing file and a deleted experiment do not hide each other; the exit code is 2."""
    client = open_client(anchor(load("config.yaml").config, tracked_project.folder).tracking)
    client.delete_experiment(client.create_experiment("plimsoll"))
    called = call("doctor", "config.yaml", "--set", "data.train=nothing.jsonl")
    assert called.code == 2
    assert "no such file" in words(called.out)
    assert "'plimsoll' was deleted" in words(called.out)
    assert "2 would stop a run" in called.out
    assert "Traceback" not in called.err


def test_a_machine_that_submits_needs_less(monkeypatch):
    """Without torch a run here is stopped, a submission is not."""
    version = diagnosis.importlib.metadata.version

    def without_torch(name: str) -> str:
        if name == "torch":
            raise diagnosis.importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(diagnosis.importlib.metadata, "version", without_torch)
    assert states(machine_symptoms(for_cluster=False))["torch"] == "problem"
    assert states(machine_symptoms(for_cluster=True))["torch"] == "warning"


def test_what_a_cluster_reaches_is_a_warning_at_most(call, project):
    """With --cluster a claim that is not mounted here stops nothing."""
    overrides = ("--set", "data.train=/data/x.jsonl", "--set", "cluster.volumes=[{claim: c, path: /data}]")
    assert call("doctor", "config.yaml", *overrides).code == 2
    called = call("doctor", "config.yaml", "--cluster", *overrides)
    assert called.code == 0, called.out
    assert "not checked: /data/x.jsonl is on the claim c" in words(called.out)


@pytest.mark.parametrize(("total", "state"), [(1 << 40, "ok"), (700_000, "warning"), (1000, "problem")])
def test_the_estimate_is_compared_with_the_device(project, monkeypatch, total, state):
    """Weights that do not fit stop a run; an estimate that does not fit is a warning with what to lower."""
    monkeypatch.setattr(diagnosis, "gpus", lambda: [Device("tiny GPU", total, total)])
    symptom = of_config(project)["memory for training"]
    assert symptom.state == state
    assert "tiny GPU has" in symptom.found
    assert (symptom.cure == "") == (state == "ok")


def test_credentials_are_named_and_never_shown(project, monkeypatch):
    """What S3, MLflow and judges need is looked for by name; a value is in no line."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "its-value")
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
    monkeypatch.delenv("JUDGE_KEY", raising=False)
    judge = "{kind: llm, name: j, role: opinion, expectations: [refuse], url: 'http://j/v1', model: m, template: "
    judge += "'{{ answer }}', parse: '(?P<label>A|B)', labels: {A: pass, B: fail}, api_key_env: JUDGE_KEY}"
    found = of_config(project, "store=s3://b/x", "tracking.uri=http://h", f"evaluation.judges=[{judge}]")
    assert (found["S3 credentials"].state, found["S3 credentials"].found) == ("ok", "AWS_ACCESS_KEY_ID set")
    assert found["MLflow login"].state == "warning"
    assert found["key of judge j"].cure == "set JUDGE_KEY"
    assert not [symptom for symptom in found.values() if "its-value" in symptom.found]


def test_a_hub_model_that_is_not_here_needs_a_token_and_room(project, monkeypatch, tmp_path):
    """Its sizes are asked of the hub; where that is away, it is said."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    project.write_config(base_model={"hub_id": "org/m", "revision": "0" * 40})
    found = of_config(project)
    assert found["memory needed"].state == "warning"
    assert "HF_TOKEN" in found["hub token"].cure


def test_devices_have_memory():
    """The machine's memory is known; GPUs are those of torch."""
    memory = main_memory()
    assert 0 < memory.free <= memory.total
    assert all(device.total > 0 for device in gpus())
