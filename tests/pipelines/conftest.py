"""A small project in a folder of its own: data, a suite, a policy, a config, and a real tiny base model."""

import hashlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import yaml

from pipelines import cli

CATEGORIES = {"direct": "refuse", "benign": "answer"}


class Project:
    """Files of a small project, and ways to spoil them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config_path = folder / "config.yaml"
        self.policy_path = folder / "policy.yaml"
        self.data_path = folder / "task.jsonl"
        self.suite_path = folder / "suite.yaml"

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
        }
        self.config_path.write_text(yaml.safe_dump(config | changes, sort_keys=False))

    def write_policy(self, **changes: Any) -> None:
        """The policy, with some keys replaced."""
        rules = {name: {"rule": "margin", "limit_pp": 10.0} for name in CATEGORIES}
        policy = {"name": "small", "version": "1", "categories": rules, "min_coherent_pct": 0.0}
        self.policy_path.write_text(yaml.safe_dump(policy | changes))

    def write_data(self, rows: list[dict[str, Any]]) -> None:
        """The task's rows."""
        self.data_path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def write_suite(self, prompts: int) -> None:
        """The suite, with so many prompts per category."""
        rows = [
            {
                "id": f"{category}-{number}",
                "category": category,
                "prompt": f"{category} question number {number}",
                "expectation": expectation,
                "source": "test",
            }
            for category, expectation in CATEGORIES.items()
            for number in range(prompts)
        ]
        self.write_suite_rows("".join(f"{json.dumps(row)}\n" for row in rows))

    def write_suite_rows(self, text: str) -> None:
        """The suite, with these lines of JSON as its prompts."""
        (self.folder / "suite.jsonl").write_text(text)
        suite = {
            "name": "small",
            "version": "1",
            "description": "for tests",
            "licence": "Apache-2.0",
            "prompts": "suite.jsonl",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        self.suite_path.write_text(yaml.safe_dump(suite))


def chat(user: str, assistant: str) -> dict[str, Any]:
    """A training row."""
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]}


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """An MLflow store without runs; making one takes seconds, copying it does not."""
    from components.shared.config.sections import TrackingConfig
    from components.shared.tracking.runs import open_client

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    open_client(TrackingConfig(uri=f"sqlite:///{path}"))
    return path


@pytest.fixture
def tracked_project(project, empty_store) -> Project:
    """A project that has an MLflow store."""
    store = project.folder / ".plimsoll/mlflow.db"
    store.parent.mkdir()
    shutil.copyfile(empty_store, store)
    return project


@pytest.fixture(scope="session", autouse=True)
def quick_names_of_callers():
    """kfp asks each setter of a task for its caller's name, by `inspect.stack`.

    That looks for the source of every frame. In a process of pytest-xdist, with thousands of modules and with frames
    that have no file, compiling a pipeline takes four seconds instead of a tenth of one.
    """
    import kfp.dsl.pipeline_task

    def stack():
        return [None, (None, None, None, sys._getframe(2).f_code.co_name)]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kfp.dsl.pipeline_task, "inspect", SimpleNamespace(stack=stack))
        yield


class Called(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch, capsys):
    """Calls the command line in this process, with what a person types, if anything."""

    def run(*arguments: object, typed: str = "") -> Called:
        monkeypatch.setattr(sys, "argv", ["plimsoll", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as exited:
            code = int(exited.code or 0)
        captured = capsys.readouterr()
        return Called(code, captured.out, captured.err)

    return run


@pytest.fixture
def make_project(tiny_base, monkeypatch) -> Callable[[Path], Project]:
    """Makes a project that runs in a folder, which becomes the current directory."""

    def make(folder: Path) -> Project:
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        (folder / "base").symlink_to(tiny_base)
        small = Project(folder)
        small.write_config()
        small.write_policy()
        small.write_suite(3)
        small.write_data([chat(f"do task {number}", f"done {number}") for number in range(12)])
        return small

    return make


@pytest.fixture
def project(tmp_path, make_project) -> Project:
    """A project that runs, and is the current directory."""
    return make_project(tmp_path)
