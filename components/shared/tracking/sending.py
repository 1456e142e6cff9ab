"""Sends one write that was kept, and tells a server that is away from one that refuses. It keeps nothing itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.shared.tracking.queue import Entry

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

_HURRY = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
}
"""mlflow's own patience is four minutes a call, in which a GPU would wait for a metric."""


def send(client: "MlflowClient", entry: Entry, folder: Path) -> None:
    """Makes the call that was kept.

    Args:
        client: of the store.
        entry: the write.
        folder: that its files lie in.
    """
    from mlflow.entities import Metric, Param, RunTag

    run_id, own = entry.run_id, entry.content
    if entry.call == "batch":
        client.log_batch(
            run_id,
            metrics=[Metric(*metric) for metric in own["metrics"]],
            params=[Param(*param) for param in own["params"]],
            tags=[RunTag(*tag) for tag in own["tags"]],
        )
    elif entry.call == "file":
        client.log_artifact(run_id, str(folder / own["path"]), own["folder"])
    elif entry.call == "folder":
        client.log_artifacts(run_id, str(folder / own["path"]), own["folder"])
    elif entry.call == "text":
        client.log_text(run_id, own["text"], own["name"])
    elif entry.call == "inputs":
        client.log_inputs(run_id, datasets=[_dataset(kept) for kept in own["datasets"]])
    else:
        client.set_terminated(run_id, own["status"], own["time"])


def _dataset(kept: dict[str, Any]) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return DatasetInput(Dataset(**kept["dataset"]), [InputTag(key, value) for key, value in kept["tags"].items()])


def is_outage(error: Exception) -> bool:
    """Whether a later try may succeed: no connection, a timeout, an overloaded or failing server."""
    from mlflow.exceptions import MlflowException
    from requests import HTTPError, RequestException

    if isinstance(error, MlflowException):
        status = int(error.get_http_status_code())  # type: ignore[no-untyped-call]
    elif isinstance(error, HTTPError) and error.response is not None:
        status = error.response.status_code
    else:
        return isinstance(error, RequestException)
    return status >= 500 or status in (408, 429)


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Makes mlflow's client give up sooner, where nobody has said how long it should try."""
    own = {name: value for name, value in _HURRY.items() if name not in os.environ}
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)
