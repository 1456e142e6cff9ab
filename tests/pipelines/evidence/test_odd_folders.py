"""A project whose folder has spaces, `#`, `?`, `%20` and letters beyond ASCII in its name."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.support import builders as build

LOAD = """
import json, sys, mlflow
from components.shared.config.sqlite_addresses import sqlite_address
from components.shared.tracking.runs import open_client
from pathlib import Path
mlflow.set_tracking_uri(sqlite_address(Path(".plimsoll/mlflow.db").absolute()))
model = mlflow.pyfunc.load_model("models:/small@champion", dst_path=sys.argv[1])
print(json.dumps(list(model.predict(["do task 1"]))))
"""


@pytest.mark.long
def test_a_run_is_recorded_verified_and_served_there(tmp_path, make_project, call):
    """The whole graph promotes; `verify` and `mlflow.pyfunc.load_model` find everything in the sqlite store.

    The held-out rows are compared by their likelihood: the verifier recomputes their gain from the grades.
    """
    project = make_project(tmp_path / "a b#c?d%20ü")
    rules = {name: {"rule": "margin", "limit_pp": 100.0} for name in ("direct", "benign")}
    rules["direct"]["min_baseline_pass_pct"] = 0.0
    project.write_policy(categories=rules, accepted_risk=build.ACCEPTED_RISK)
    ran = call("run", "config.yaml", "--set", "data.task_metric=nll")
    assert ran.code == 0, ran.out + ran.err
    assert (project.folder / ".plimsoll" / "mlflow.db").is_file()
    run_id = re.search(r"MLflow run (\w{32})", ran.out).group(1)
    verified = call("verify", run_id)
    assert verified.code == 0, verified.out + verified.err
    (tmp_path / "downloaded").mkdir()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", LOAD, str(tmp_path / "downloaded")]
    loaded = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr
    (answer,) = json.loads(loaded.stdout.splitlines()[-1])
    assert isinstance(answer, str)
