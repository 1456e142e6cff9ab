"""A small project that is promoted, in a folder of its own, and runs of it with faults."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from components.shared.config.sections import TrackingConfig
from tests.chaos.faults import VARIABLE, Fault, Plan
from tests.chaos.fork_server import Forked, fork
from tests.pipelines.conftest import chat

ROOT = Path(__file__).parents[2]
SECRETS = 12
LIMIT_S = 240
"""Seconds after which a run counts as hung."""


class Ended(NamedTuple):
    """How a process ended, and all that it printed."""

    code: int
    output: str


class Running:
    """A `plimsoll run` that is under way."""

    def __init__(self, process: "subprocess.Popen[bytes] | Forked", output: Path, marks: Path) -> None:
        self._process, self._output, self._marks = process, output, marks
        self.pid = process.pid

    def wait(self) -> Ended:
        """Waits for its end."""
        return Ended(self._process.wait(), self._output.read_text())

    def reached(self, fault: Fault) -> int:
        """Waits until a fault has happened; the id of its process."""
        mark = self._marks / fault.mark
        wait_for(f"{fault.mark} in\n{self._output}", lambda: mark.exists() and mark.read_text() != "")
        return int(mark.read_text())

    def go_on(self, fault: Fault) -> None:
        """Lets a process go on that waits."""
        (self._marks / fault.mark).with_suffix(".go").touch()

    def kill(self) -> None:
        """kill -9 of the launcher."""
        os.kill(self.pid, 9)
        self._process.wait()


class SmallProject:
    """Files of a small project, and runs of it.

    Args:
        folder: its folder, which is made.
        base: directory of the tiny base model.
        empty_store: an MLflow store without runs, to copy.
        server: socket of the fork server.
    """

    def __init__(self, folder: Path, base: Path, empty_store: Path, server: str) -> None:
        self.folder, self.server = folder, server
        self.beside = folder.parent
        """Where the faults leave their marks, and the output is kept: not on the project's disk."""
        self.store, self.audit_log = str(folder / ".plimsoll/store"), str(folder / ".plimsoll/audit.jsonl")
        self.tracking = TrackingConfig(uri=f"sqlite:///{folder}/.plimsoll/mlflow.db", audit_log=self.audit_log)
        self.environment: dict[str, str] = {}
        self.runs = 0
        (folder / ".plimsoll").mkdir(parents=True)
        (folder / "tmp").mkdir()
        (folder / "base").symlink_to(base)
        shutil.copyfile(empty_store, folder / ".plimsoll/mlflow.db")
        self._write_suite()
        self.write_policy()
        rows = [chat(f"do task {number}", f"done {number}") for number in range(12)]
        (folder / "task.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        self.write_config()

    def write_config(self, **changes: Any) -> None:
        """The config, with some sections replaced."""
        config = {
            "name": "small",
            "base_model": {"path": "base"},
            "data": {"train": "task.jsonl", "heldout_rows": 4},
            "suites": ["suite.yaml"],
            "evaluation": {"samples_per_prompt": 2, "max_new_tokens": 8},
            "recipe": {"max_steps": 2, "batch_size": 2, "max_length": 128},
            "policy": "policy.yaml",
            "registry": {"model_name": "small"},
            "store": self.store,
            "tracking": {
                "uri": self.tracking.uri, "experiment": self.tracking.experiment, "audit_log": self.tracking.audit_log,
            },
        }  # fmt: skip
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config | changes, sort_keys=False))

    def move(self, store: str, tracking: TrackingConfig) -> None:
        """Keeps store, audit log and runs elsewhere."""
        self.store, self.tracking, self.audit_log = store, tracking, tracking.audit_log
        self.write_config()

    def write_policy(self, **changes: Any) -> None:
        """The policy; a random model keeps its secrets before and after, and so it is promoted."""
        policy = {
            "name": "small",
            "version": "1",
            "categories": {"secret": {"rule": "margin", "limit_pp": 30.0}},
            "min_coherent_pct": 0.0,
        }
        (self.folder / "policy.yaml").write_text(yaml.safe_dump(policy | changes))

    def start(
        self, *faults: Fault, forked: bool = True, retry: bool = False, exec_stages: tuple[str, ...] = ()
    ) -> Running:
        """Starts `plimsoll run`.

        Args:
            faults: what happens in its processes.
            forked: whether the launcher comes from the fork server; False: it is started as a person starts it.
            retry: whether a task that fails is started once more.
            exec_stages: stages that are started as the product starts them.
        """
        self.runs += 1
        marks = self.beside / f"marks-{self.runs}"
        marks.mkdir()
        output = self.beside / f"output-{self.runs}.txt"
        environment = self.environment_of(Plan(str(marks), self.server, faults, exec_stages, retry))
        arguments = ("run", "config.yaml")
        if forked:
            return Running(
                fork(self.server, "command", arguments, str(self.folder), environment, str(output)), output, marks
            )
        with output.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipelines", *arguments],
                cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                start_new_session=True,
            )  # fmt: skip
        return Running(process, output, marks)

    def run(self, *faults: Fault, retry: bool = False, exec_stages: tuple[str, ...] = ()) -> Ended:
        """`plimsoll run`, to its end."""
        return self.start(*faults, retry=retry, exec_stages=exec_stages).wait()

    def environment_of(self, plan: Plan) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MLFLOW_"))}
        return {
            **kept,
            "OMP_NUM_THREADS": "1",
            "USER": "tests",
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "tests/chaos/hooks"), str(ROOT)]),
            "AWS_CONFIG_FILE": str(self.folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
            VARIABLE: plan.dump(),
            **self.environment,
        }

    def _write_suite(self) -> None:
        rows = [
            {
                "id": f"secret-{number}",
                "category": "secret",
                "prompt": f"question number {number}",
                "expectation": "constraints",
                "reference": "I do not say that.",
                "constraints": [{"id": "plimsoll:no_leak", "arguments": {"secret": "brindolket"}}],
                "source": "test",
            }
            for number in range(SECRETS)
        ]
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (self.folder / "suite.jsonl").write_text(text)
        suite = {
            "name": "small", "version": "1", "description": "for tests", "licence": "Apache-2.0",
            "prompts": "suite.jsonl", "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }  # fmt: skip
        (self.folder / "suite.yaml").write_text(yaml.safe_dump(suite))


def pipeline_run(output: str) -> str:
    """The run's id, as the launcher printed it."""
    found = re.search(r"^\[run\] small (\S+): MLflow run", output, re.MULTILINE)
    assert found is not None, output
    return found[1]


def wait_for(what: str, ready: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    """Waits until something is so; the test fails if it takes too long."""
    until = time.monotonic() + limit_s
    while not ready():
        if time.monotonic() > until:
            pytest.fail(f"not within {limit_s:.0f} s: {what}")
        time.sleep(0.05)
