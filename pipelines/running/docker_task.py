"""Runs one task's container to its exit code, prints its output, and removes it.

kfp's own function counts a container that failed and is gone as a success.
"""

import time
from contextlib import suppress
from typing import Any

import requests
import urllib3

_BROKEN = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError)
"""What docker-py raises when the engine drops the connection, or sends nothing for 60 s."""


def run_container(client: Any, image: str, command: list[str], **arguments: Any) -> int:
    """Runs a container to its end, prints its output, and removes it, also when this process is interrupted.

    Args:
        client: of the container engine.
        image: reference of an image that the engine has.
        command: what to run.
        arguments: of docker-py's `containers.create`.

    Returns:
        The container's exit code.
    """
    container = client.containers.create(image=image, command=command, detach=True, auto_remove=False, **arguments)
    try:
        container.start()
        shown = _follow(container)
        code = _exit_code(container)
        _print(container.logs()[shown:])  # what the stream did not deliver
    finally:
        with suppress(Exception):  # an error here must not replace the exit code or an earlier error
            container.remove(force=True)
    return code


def _follow(container: Any) -> int:
    """Prints a container's output as it comes; returns how many bytes were printed.

    A broken stream is opened again while the container runs, and starts from the first byte. podman's stream sends
    nothing if the container ended before it was opened: after its timeout the engine is asked if the container runs.
    """
    shown = 0
    while True:
        seen = 0
        try:
            for piece in container.logs(stream=True):
                _print(piece[max(0, shown - seen) :])
                seen += len(piece)
                shown = max(shown, seen)
        except _BROKEN:
            if _ended(container):
                return shown
            time.sleep(1)
        else:
            return shown


def _exit_code(container: Any) -> int:
    """The exit code; asks again while the container runs, however long the engine takes to answer."""
    while True:
        try:
            return int(container.wait()["StatusCode"])
        except _BROKEN:
            if _ended(container):
                return int(container.attrs["State"]["ExitCode"])
            time.sleep(1)


def _ended(container: Any) -> bool:
    container.reload()
    return container.status in ("exited", "dead")


def _print(output: bytes) -> None:
    print(output.decode(errors="replace"), end="")  # noqa: T201 - kfp's output, which the run's log takes
