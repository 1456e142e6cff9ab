"""The whole graph with everything on servers: data, suite, policy, store and audit log in S3, runs in MLflow."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from components.shared import storage
from components.shared.audit import open_log, verify
from components.shared.config.sections import TrackingConfig
from components.shared.tracking.runs import PARENT, open_client


@pytest.fixture
def s3_environment(s3: str, monkeypatch: pytest.MonkeyPatch):
    """This process may use the S3 server; the steps inherit it."""
    settings = {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    storage._client.cache_clear()
    yield
    storage._client.cache_clear()


def put_in_s3(project, run: str, uri: str) -> None:
    """Every file that the config names but the base model, and the config that names them there."""
    folder = f"s3://plimsoll/{run}"
    for path in (project.data_path, project.suite_path, project.folder / "suite.jsonl", project.policy_path):
        storage.put(path, f"{folder}/{path.name}")
    project.write_config(
        data={"train": f"{folder}/task.jsonl", "heldout_rows": 4},
        suites=[f"{folder}/suite.yaml"],
        policy=f"{folder}/policy.yaml",
        store=f"{folder}/store",
        tracking={"uri": uri, "experiment": run, "audit_log": f"{folder}/audit"},
    )


def run_graph(folder: Path, at_stage=None) -> tuple[int, str]:
    """`plimsoll run`; calls `at_stage` in a thread of its own once the training says something."""
    command = [sys.executable, "-m", "pipelines", "run", "config.yaml"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    lines = []
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        other = None
        for line in process.stdout:
            lines.append(line)
            if at_stage is not None and other is None and "[finetune_lora]" in line:
                other = threading.Thread(target=at_stage)
                other.start()
    if other is not None:
        other.join()
    assert at_stage is None or other is not None, "".join(lines)
    return process.returncode, "".join(lines)


def logged(uri: str, experiment: str) -> dict[str, dict[str, object]]:
    """By stage: how it ended, and the names of all that it logged."""
    client = open_client(TrackingConfig(uri=uri))
    in_mlflow = client.get_experiment_by_name(experiment)
    assert in_mlflow is not None

    def files(run_id: str, folder: str | None = None) -> set[str]:
        names: set[str] = set()
        for entry in client.list_artifacts(run_id, folder):
            names |= files(run_id, entry.path) if entry.is_dir else {entry.path}
        return names

    return {
        run.data.tags["plimsoll.stage"]: {
            "status": run.info.status,
            "metrics": {key: len(client.get_metric_history(run.info.run_id, key)) for key in run.data.metrics},
            "params": set(run.data.params),
            "tags": {key for key in run.data.tags if key.startswith("plimsoll.")},
            "files": {re.sub(r"\d{8}-\d{6}-\w{4}", "RUN", name) for name in files(run.info.run_id)},
        }
        for run in client.search_runs([in_mlflow.experiment_id])
    }


def test_the_graph_loses_nothing_when_mlflow_is_restarted(mlflow_server, s3_environment, project):
    """A run in whose middle the server is killed and started again ends like one that was left alone."""
    put_in_s3(project, "quiet", mlflow_server.url)
    code, output = run_graph(project.folder)
    assert "error" not in output, output
    expected = logged(mlflow_server.url, "quiet")
    assert expected[PARENT]["status"] == "FINISHED"

    def restart() -> None:
        mlflow_server.stop()
        mlflow_server.start()

    put_in_s3(project, "disturbed", mlflow_server.url)
    again, output = run_graph(project.folder, restart)
    assert again == code, output
    assert logged(mlflow_server.url, "disturbed") == expected
    log = open_log("s3://plimsoll/disturbed/audit")
    assert list(verify(log)) == []
    assert len(list(log.entries())) == len(list(open_log("s3://plimsoll/quiet/audit").entries()))
