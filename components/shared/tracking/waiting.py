"""Tells, while a call to MLflow takes long, what is waited for, so that nobody looks at a silent terminal."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from components.shared.progress import duration

FIRST_S = 5.0
"""Seconds of silence before the first line."""
_EVERY_S = 30.0
_REQUEST_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"


def say_waiting(text: str) -> None:
    """Prints a line of the tracking on standard error, because standard output may be JSON."""
    print(f"[mlflow] {text}", file=sys.stderr, flush=True)  # noqa: T201 - the shape of a progress line


@contextmanager
def told_while_waiting(store: str, deadline_s: float, first_s: float = FIRST_S) -> Iterator[None]:
    """Prints a line after some seconds in the block, and then every half minute.

    Args:
        store: address, as it may be shown.
        deadline_s: seconds for which a call is repeated after its first failure.
        first_s: seconds before the first line.
    """
    over, start = threading.Event(), time.monotonic()

    def tell() -> None:
        pause = first_s
        while not over.wait(pause):
            waited = duration(time.monotonic() - start)
            say_waiting(
                f"waiting for {store}: no answer for {waited}; calls that fail are repeated for {duration(deadline_s)}"
            )
            pause = _EVERY_S

    threading.Thread(target=tell, name="plimsoll-waiting", daemon=True).start()
    try:
        yield
    finally:
        over.set()


@contextmanager
def requests_end_after(seconds: float) -> Iterator[None]:
    """While the block lasts, a request to a server that accepts it and is silent ends after so many seconds."""
    before = os.environ.get(_REQUEST_TIMEOUT)
    try:
        shorter = min(float(before), seconds) if before else seconds
    except ValueError:
        shorter = seconds
    os.environ[_REQUEST_TIMEOUT] = str(max(1, int(shorter)))
    try:
        yield
    finally:
        if before is None:
            del os.environ[_REQUEST_TIMEOUT]
        else:
            os.environ[_REQUEST_TIMEOUT] = before
