"""Stops the tasks of a local run and marks its MLflow run as killed when the launcher is interrupted or killed.

The launcher holds the write end of a pipe, a watchdog process in another session the read end. If the pipe closes
before the launcher wrote to it, the launcher was killed, and the watchdog cleans up.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.tracking.runs import Tracker

if TYPE_CHECKING:
    import psutil

RUN_VARIABLE = "PLIMSOLL_PIPELINE_RUN"
"""Environment variable by which the processes of a run are found."""

_DONE = b"done\n"
_GRACE_S = 5.0
_OPEN = ("RUNNING", "SCHEDULED")


class Interrupted(BaseException):
    """The launcher was told to stop."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Turns SIGINT, SIGTERM and SIGHUP into `Interrupted` inside the context."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(signal.Signals(number).name)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def watched(context: RunContext) -> Iterator[None]:
    """Runs a watchdog inside the context; a normal exit stops it, after an exception too."""
    command = [sys.executable, "-m", "pipelines.running.interruption"]
    arguments = [context.tracking.model_dump_json(), context.pipeline, context.pipeline_run]
    environment = {name: value for name, value in os.environ.items() if name != RUN_VARIABLE}
    with subprocess.Popen(  # noqa: S603 - our own module, with our own arguments
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=environment,
    ) as watchdog:
        try:
            yield
        finally:
            if watchdog.stdin is not None and watchdog.poll() is None:
                watchdog.stdin.write(_DONE)
                watchdog.stdin.close()


def stop_run(context: RunContext) -> None:
    """Stops the tasks of a run and marks its MLflow runs as killed."""
    _stop_tasks(context.pipeline_run)
    tracker = Tracker(context)
    if tracker.parent_status() in _OPEN:
        parent = tracker.parent()
        parent.tags({"plimsoll.status": "killed", "plimsoll.error": "the run was interrupted"})
        tracker.close("KILLED")


def _stop_tasks(pipeline_run: str) -> None:
    import psutil

    def belongs(process: "psutil.Process") -> bool:
        try:
            return bool(process.environ().get(RUN_VARIABLE) == pipeline_run)
        except psutil.Error:
            return False

    tasks = [p for p in psutil.process_iter() if p.pid != os.getpid() and belongs(p)]
    for task in tasks:
        _signal(task, signal.SIGTERM)
    _, alive = psutil.wait_procs(tasks, timeout=_GRACE_S)
    for task in alive:
        _signal(task, signal.SIGKILL)


def _signal(process: "psutil.Process", number: signal.Signals) -> None:
    import psutil

    with suppress(psutil.Error):
        process.send_signal(number)


def _watch(context: RunContext) -> None:
    if sys.stdin.buffer.readline() != _DONE:
        stop_run(context)


if __name__ == "__main__":
    _tracking, _pipeline, _pipeline_run = sys.argv[1:]
    _watch(RunContext(TrackingConfig.model_validate_json(_tracking), _pipeline, _pipeline_run))
