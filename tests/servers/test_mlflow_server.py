"""MLflow on PostgreSQL with its artifacts in S3: two tasks at once, servers that go away, and nothing lost."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.tracking.runs import Tracker

TASK = """
import sys, time
from pathlib import Path
from components.shared.config.sections import TrackingConfig
from components.shared.config.run_context import RunContext
from components.shared.tracking.runs import Tracker
uri, pipeline_run, name, count = sys.argv[1:]
context = RunContext(TrackingConfig(uri=uri, experiment="two-tasks"), "small", pipeline_run)
with Tracker(context).stage(name) as stage:
    for number in range(int(count)):
        stage.metrics({f"group/{number}": number})
        stage.curves({"curve": [(number, number / 2)]})
        stage.tags({f"tag-{number}": name})
        Path("file.txt").write_text(f"{name} {number}")
        stage.file(Path("file.txt"), f"files/{number}")
        print(number, flush=True)
        time.sleep(0.1)
"""
COUNT = 40


def start_task(uri: str, pipeline_run: str, name: str, folder: Path) -> subprocess.Popen[str]:
    folder.mkdir()
    command = [sys.executable, "-c", TASK, uri, pipeline_run, name, str(COUNT)]
    log = (folder / "stderr").open("w")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)


def read_until(task: subprocess.Popen[str], line: str) -> None:
    assert task.stdout is not None
    for printed in task.stdout:
        if printed.strip() == line:
            return
    pytest.fail(f"the task ended before it printed {line!r}")


@pytest.mark.parametrize("away", ["nothing", "mlflow", "postgres"])
def test_two_tasks_that_log_at_once_lose_nothing(mlflow_server, postgres, tmp_path: Path, away: str):
    """Every point, tag and file of both is there, also when MLflow, or its database, is killed and started again."""
    context = RunContext(TrackingConfig(uri=mlflow_server.url, experiment="two-tasks"), "small", f"run-{away}")
    tracker = Tracker(context)
    parent = tracker.parent()
    tasks = {name: start_task(mlflow_server.url, f"run-{away}", name, tmp_path / name) for name in ("one", "two")}
    for task in tasks.values():
        read_until(task, "3")
    if away == "mlflow":
        mlflow_server.stop()
        time.sleep(10)
        mlflow_server.start()
    elif away == "postgres":
        postgres.stop()
        time.sleep(10)
        postgres.start()
    for name, task in tasks.items():
        task.communicate(timeout=400)
        assert task.returncode == 0, (tmp_path / name / "stderr").read_text()
        waited = "does not answer; trying again until" in (tmp_path / name / "stderr").read_text()
        assert waited == (away != "nothing")
    children = tracker.client.search_runs([tracker.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.run_id}'")
    assert {run.data.tags["plimsoll.stage"]: run.info.status for run in children} == dict.fromkeys(tasks, "FINISHED")
    for run in children:
        name, run_id = run.data.tags["plimsoll.stage"], run.info.run_id
        assert {key: value for key, value in run.data.metrics.items() if key.startswith("group/")} == {
            f"group/{number}": number for number in range(COUNT)
        }
        history = tracker.client.get_metric_history(run_id, "curve")
        assert sorted((point.step, point.value) for point in history) == [(n, n / 2) for n in range(COUNT)]
        assert {key for key in run.data.tags if key.startswith("tag-")} == {f"tag-{n}" for n in range(COUNT)}
        files = {entry.path for entry in tracker.client.list_artifacts(run_id, "files")}
        assert files == {f"files/{number}" for number in range(COUNT)}
        target = tmp_path / f"{name}-back"
        target.mkdir()
        for number in (0, COUNT // 2, COUNT - 1):
            file = tracker.client.download_artifacts(run_id, f"files/{number}/file.txt", str(target))
            assert Path(file).read_text() == f"{name} {number}"
