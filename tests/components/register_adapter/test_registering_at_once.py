"""Several processes register at once: every run has its version, and the highest one is champion."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.shared.audit import open_log, standing, unfinished, verify
from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.tracking.runs import Tracker
from tests.components.shared.tracking.conftest import mlflow_port  # noqa: F401 - a fixture

PROCESSES = 3
TASK = """
import sys, time
from pathlib import Path
from components.register_adapter.step import register_adapter
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.run_context import RunContext
from components.shared.config.sections import RegistryConfig, TrackingConfig
import mlflow
folder, uri, log, experiment, run = sys.argv[1:]
context = RunContext(TrackingConfig(uri=uri, audit_log=log, experiment=experiment), "toy", run)
folder = Path(folder)
(folder / "ready").touch()
while not (folder.parent / "go").exists():
    time.sleep(0.01)
register_adapter(
    folder / "passed", folder / "decision", BaseModelRef(path="models/toy"), EvaluationConfig(),
    RegistryConfig(model_name="toy"), folder / "out", context,
)
"""


@pytest.fixture(params=["sqlite", "server"])
def tracking(request: pytest.FixtureRequest, context: RunContext) -> TrackingConfig:
    """A sqlite file, and a server that several pods share."""
    if request.param == "sqlite":
        return context.tracking
    return context.tracking.model_copy(update={"uri": f"http://127.0.0.1:{request.getfixturevalue('mlflow_port')}"})


@pytest.mark.slow
def test_registrations_at_once_agree_on_a_champion(tracking: TrackingConfig, tmp_path: Path, build):
    """No version twice, none lost; aliases, log and versions say the same, and the log is sound."""
    runs = [f"run-{number}" for number in range(PROCESSES)]
    for run in runs:
        build.world(tmp_path / run, weights=run.encode()).check_gate(RunContext(tracking, "toy", run))
    common = (tracking.uri, tracking.audit_log, tracking.experiment)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    tasks = [
        subprocess.Popen(
            [sys.executable, "-c", TASK, str(tmp_path / run), *common, run],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for run in runs
    ]  # fmt: skip
    while not all((tmp_path / run / "ready").exists() for run in runs):
        assert all(task.poll() is None for task in tasks), "a task ended before it began"
    (tmp_path / "go").touch()
    for task in tasks:
        _, errors = task.communicate(timeout=120)
        assert task.returncode == 0, errors
    client = Tracker(RunContext(tracking, "toy", runs[0])).client
    versions = client.search_model_versions("name = 'toy'")
    assert sorted(version.tags["plimsoll.pipeline_run"] for version in versions) == runs
    log = open_log(tracking.audit_log)
    assert (verify(log), unfinished(log.entries(), "toy")) == ([], [])
    champion, previous, known = standing(log.entries(), "toy")
    aliases = {name: str(version) for name, version in client.get_registered_model("toy").aliases.items()}
    assert aliases == {"champion": champion, "previous": previous}
    assert (champion, previous) == (str(PROCESSES), str(PROCESSES - 1))
    assert known == {str(number + 1) for number in range(PROCESSES)}
