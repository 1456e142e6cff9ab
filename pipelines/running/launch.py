"""Runs the graph on this machine through kfp.local, task by task, in subprocesses or containers; and compiles it.

The launcher opens the MLflow parent run, writes a log, shows progress, handles interruptions, and reads the decision
back from the MLflow run, so that the printed decision, the tag and the exit code agree.
"""

import os
import secrets
import sys
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from components.shared.artifacts.decision import Decision, RunReport
from components.shared.config.anchoring import anchor
from components.shared.config.policy import Policy
from components.shared.config.reading import load_pipeline_config, load_policy
from components.shared.config.run_context import RunContext
from components.shared.config.sections import PipelineConfig
from components.shared.errors import ConfigError, PlimsollError
from components.shared.progress import speaker
from components.shared.redaction import redacted
from components.shared.tracking.runs import Tracker
from pipelines.exit_codes import DECISION_CODES, FAILURE, error_code
from pipelines.running.check_notes import show_skipped
from pipelines.running.console import RunOutput
from pipelines.running.interruption import RUN_VARIABLE, Interrupted, interruptible, stop_run, watched
from pipelines.running.preflight import check_run

if TYPE_CHECKING:
    from kfp.dsl.base_component import BaseComponent
    from kfp.local import DockerRunner, SubprocessRunner

Runner = Literal["subprocess", "docker"]
"""How a local run starts its tasks: as processes, or in containers of their images."""

WORK_DIR = Path(".plimsoll/runs")
_STEP_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # busy-waiting threads starve every other process on a small machine
    "TOKENIZERS_PARALLELISM": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "PYTHONUNBUFFERED": "1",
}


class LocalRunResult(NamedTuple):
    """How a local run ended."""

    report: RunReport | None
    """None when the run ended before the report was written."""
    exit_code: int
    run_id: str
    """MLflow run of the pipeline."""
    log: Path
    error: str | None
    """What failed; None when a decision was reached."""


class Loaded(NamedTuple):
    """A config and the policy that it names."""

    config: PipelineConfig
    policy: Policy


def load(address: str, overrides: Sequence[str] = ()) -> Loaded:
    """Reads a config and its policy.

    Raises:
        ConfigError: one of them is wrong, or an override replaces a locked policy.
    """
    config = load_pipeline_config(address, overrides)
    if any(override.partition("=")[0].strip() == "policy" for override in overrides):
        _refuse_unlocking(address, config.policy)
    return Loaded(config, load_policy(config.policy))


def _refuse_unlocking(address: str, replacement: str) -> None:
    configured = load_pipeline_config(address).policy
    if configured != replacement and load_policy(configured).locked:
        raise ConfigError(
            f"policy={replacement}: the policy of {address}, {configured}, is locked and cannot be replaced by a run "
            "parameter; change the config's policy in its file"
        )


def run_local(loaded: Loaded, verbose: bool = False, runner: Runner = "subprocess") -> LocalRunResult:
    """Runs the whole graph on this machine, in the current directory.

    Args:
        loaded: config and policy.
        verbose: whether kfp's own lines are shown as well.
        runner: how tasks are started.

    Raises:
        ConfigError, DataError: the input is wrong, or the container engine or an image is missing; found before a model
            is loaded.
        StorageError, TrackingError: disk or MLflow store cannot be used.
    """
    from pipelines.safety_gate import build

    config, policy = anchor(loaded.config, Path.cwd()), loaded.policy
    show_skipped(check_run(config, policy, WORK_DIR))
    context = RunContext(config.tracking, config.name, new_run_id())
    pipeline = build(config, policy, context.pipeline_run)
    if runner == "docker":
        from pipelines.running.docker_runner import check_containers

        check_containers(pipeline)
    work_dir = WORK_DIR.absolute() / context.pipeline_run
    log = work_dir / "log.txt"
    tracker = Tracker(context)
    parent = tracker.parent()
    _record_config(tracker, config, policy)
    say = speaker("run")
    say(f"{config.name} {context.pipeline_run}: MLflow run {parent.run_id}, log {log}")
    with watched(context):
        try:
            with interruptible():
                error = _execute(pipeline, config, work_dir, verbose, runner)
        except Interrupted as interruption:
            stop_run(context)
            return LocalRunResult(None, FAILURE, parent.run_id, log, f"interrupted by {interruption}")
        return conclude(tracker, log, error)


def conclude(tracker: Tracker, log: Path, error: str | None) -> LocalRunResult:
    """Reads the result back from the MLflow run, and closes that run if no step did.

    Args:
        tracker: of the run.
        log: the run's log file.
        error: message of the orchestrator if it failed.
    """
    parent = tracker.parent()
    if tracker.parent_status() == "RUNNING":  # the exit handler did not get to run
        tracker.close("FAILED")
        error = error or "the report was not written"
    failures = tracker.failures()
    text = parent.read_text("run_report.json")
    report = RunReport.parse(text, "run_report.json") if text is not None else None
    if failures:
        first = failures[0]
        return LocalRunResult(report, error_code(first.kind), parent.run_id, log, f"{first.stage}: {first.message}")
    if error is not None or report is None or report.gate is None:
        return LocalRunResult(report, FAILURE, parent.run_id, log, error or "no decision was reached")
    decision = report.gate.decision
    tag = parent.read_tags().get("plimsoll.decision")
    if tag != decision.value:
        wrong = f"the report says {decision.value!r}, the MLflow tag says {tag!r}"
        return LocalRunResult(report, FAILURE, parent.run_id, log, wrong)
    if (decision is Decision.PROMOTE) != (report.model_version is not None):
        wrong = f"the decision is {decision.value!r}, the registered version is {report.model_version!r}"
        return LocalRunResult(report, FAILURE, parent.run_id, log, wrong)
    return LocalRunResult(report, DECISION_CODES[decision], parent.run_id, log, None)


def compile_pipeline(loaded: Loaded, target: Path) -> None:
    """Compiles the graph to KFP's IR as YAML; paths stay as written.

    Raises:
        ConfigError: the file cannot be written.
    """
    from kfp.compiler import Compiler

    from pipelines.safety_gate import build

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        Compiler().compile(build(loaded.config, loaded.policy), str(target))
    except OSError as error:
        raise ConfigError(
            f"--output {str(target)!r}: cannot be written: {error.strerror}; expected a file in a folder that this "
            "user may write to"
        ) from None


def new_run_id() -> str:
    """The time in UTC and four random hex digits: ids sort by start, and two runs of one second differ."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _record_config(tracker: Tracker, config: PipelineConfig, policy: Policy) -> None:
    parent = tracker.parent()
    parent.text(config.model_dump_json(indent=1), "config.json")
    parent.text(policy.model_dump_json(indent=1), "policy.json")
    parent.tags(
        {
            "plimsoll.note": config.note,
            "mlflow.source.name": "plimsoll run",
            "mlflow.source.type": "LOCAL",
            "mlflow.user": os.environ.get("USER", "unknown"),
        }
    )
    parent.params(
        {
            "base_model": config.base_model.name,
            "policy": f"{policy.name} {policy.version}",
            **{f"recipe/{name}": value for name, value in config.recipe.model_dump().items()},
        }
    )


def _task_runner(
    runner: Runner, config: PipelineConfig, work_dir: Path
) -> "AbstractContextManager[SubprocessRunner | DockerRunner]":
    """A context in which kfp starts the tasks this way; entered after the steps' environment variables are set."""
    if runner == "docker":
        from pipelines.running.docker_runner import container_runner, surroundings

        return container_runner(surroundings(config, Path.cwd(), work_dir, work_dir.name))
    from kfp import local

    return nullcontext(local.SubprocessRunner(use_venv=False))


def _execute(
    pipeline: "BaseComponent", config: PipelineConfig, work_dir: Path, verbose: bool, runner: Runner
) -> str | None:
    """Runs the graph; returns the error message, or None."""
    for name, value in _STEP_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ[RUN_VARIABLE] = work_dir.name
    from kfp import local

    root = work_dir / "artifacts"
    if "python3" in str(root):  # the local runner replaces that word in every path by an interpreter's path
        root = Path(tempfile.mkdtemp(prefix="plimsoll-"))
    output = RunOutput(work_dir / "log.txt", sys.stdout, verbose)
    try:
        with redirect_stdout(output), warnings.catch_warnings(), _task_runner(runner, config, work_dir) as tasks:
            local.init(runner=tasks, pipeline_root=str(root))
            warnings.filterwarnings("ignore", ".*have no effect in the current local runner.*")
            warnings.filterwarnings("ignore", ".*non-Python base image.*")
            pipeline()
    except PlimsollError:
        raise
    except Exception as error:  # noqa: BLE001 - kfp raises bare RuntimeErrors, and anything when a task misbehaves
        return redacted(str(error)) or type(error).__name__
    finally:
        os.environ.pop(RUN_VARIABLE, None)
        output.close()
    return None
