"""Follows a run on a cluster to its end, and prints a line when the state of a step changes.

The server is asked every few seconds; if it is away for a while, `Client` waits for it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from components.shared.progress import Say
from pipelines.cluster.kfp_client import Client

OVER = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")
_EVERY_S = 10.0
"""Seconds between two requests."""


class Ending(NamedTuple):
    """How a run ended on the server.

    Attributes:
        state: SUCCEEDED, FAILED, CANCELED or SKIPPED.
        error: what the server says, if anything.
        failed: names of the steps that failed.
    """

    state: str
    error: str | None
    failed: tuple[str, ...]


def run_state(client: Client, run_id: str) -> str:
    """The state of a run on the server, such as PENDING or SUCCEEDED.

    Raises:
        ClusterError: the server refuses, or does not answer.
    """
    return str(client.call(client.runs.run_service_get_run, run_id).state or "PENDING")


def follow(
    client: Client,
    run_id: str,
    tasks: Mapping[str, str],
    say: Say,
    sleep: Callable[[float], None] = time.sleep,
) -> Ending:
    """Waits for the end of a run.

    Args:
        client: asks the server.
        run_id: the run.
        tasks: displayed name of every step, by its task's name; other tasks belong to the server and are not shown.
        say: prints a line.
        sleep: waits; replaced in tests.

    Raises:
        ClusterError: the server refuses, or does not answer.
    """
    names = {**tasks, **{shown: shown for shown in tasks.values()}}
    seen: dict[str, str] = {}
    while True:
        run = client.call(client.runs.run_service_get_run, run_id)
        for task in _tasks(run):
            name, state = names.get(str(task.display_name)), str(task.state or "PENDING")
            if name is not None and seen.get(name) != state:
                seen[name] = state
                say(f"{name}: {state.lower()}{_because(task)}")
        state = str(run.state or "PENDING")
        if seen.get("") != state:
            seen[""] = state
            say(f"run {run_id}: {state.lower()}")
        if state in OVER:
            failed = tuple(name for name, last in seen.items() if name and last == "FAILED")
            return Ending(state, str(run.error.message) if run.error is not None else None, failed)
        sleep(_EVERY_S)


def _tasks(run: Any) -> list[Any]:
    details = run.run_details.task_details if run.run_details is not None else None
    return sorted(details or [], key=lambda task: str(task.start_time or task.create_time or ""))


def _because(task: Any) -> str:
    return f" ({task.error.message})" if task.error is not None and task.error.message else ""
