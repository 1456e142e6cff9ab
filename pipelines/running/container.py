"""One container, from its start to its exit code: what it prints is printed, and it does not stay behind.

kfp's own function counts a container that has failed and is gone as a success. This module knows no pipeline.
"""

import time
from contextlib import suppress
from typing import Any

import requests
import urllib3

_BROKEN = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError)
"""What docker-py raises where the engine breaks off, or says nothing for its 60 s."""


def run_container(client: Any, image: str, command: list[str], **arguments: Any) -> int:
    """Runs a container to its end, prints what it prints, and removes it, also when this process is interrupted.

    Args:
        client: of the container engine.
        image: reference of an image that is there.
        command: what to run.
        arguments: of docker-py's `containers.create`.

    Returns:
        The container's own exit code.
    """
    container = client.containers.create(image=image, command=command, detach=True, auto_remove=False, **arguments)
    try:
        container.start()
        shown = _follow(container)
        code = _exit_code(container)
        _print(container.logs()[shown:])  # what the stream left out
    finally:
        with suppress(Exception):  # nothing hides how it ended
            container.remove(force=True)
    return code


def _follow(container: Any) -> int:
    """Prints what a container prints, as it does; how many bytes that were.

    A stream that breaks is opened again while the container runs, and begins anew. podman's sends nothing at all where
    a container ends before it is opened; after its timeout the engine is asked whether the container runs.
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
    """The exit code; asks again for as long as the container runs, however long the engine takes to answer."""
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
