"""What a stage logs while the MLflow server does not answer: kept on disk, in order, and sent before the stage ends.

A write is tried for some seconds. When it fails because the server is away, it and all that follow go into a folder of
`PLIMSOLL_SPOOL` (`.plimsoll/spool`), and every few seconds they are tried again. Every write that is kept can be
repeated without harm: MLflow takes the same metric, parameter, tag or file twice and keeps one. What cannot be sent at
the end stays on disk, and the next stage of the same pipeline run that sees this folder sends it first.

A sqlite store has no server that could be away: there, and outside a stage, calls go straight through. Reads are not
kept; they rely on mlflow's own retries. This module does not know what the figures mean.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from components.shared.errors import TrackingError
from components.shared.progress import warn
from components.shared.tracking.queue import Entry, Queue, left_queues
from components.shared.tracking.sending import in_a_hurry, is_outage, send

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric, Param, RunTag

FOLDER_VARIABLE = "PLIMSOLL_SPOOL"
WAIT_VARIABLE = "PLIMSOLL_SPOOL_WAIT_S"
"""Seconds that the end of a stage waits for a server that does not answer."""

_WAIT_S = 600.0
_WAIT_AFTER_ERROR_S = 30.0
_TRY_EVERY_S = 5.0


class Spool:
    """Writes to MLflow that survive a server that is away for a while. Its calls are those of MlflowClient.

    Args:
        client: of the store.
        uri: of the store; only an http(s) store is ever away.
        pipeline_run: whose writes these are.
    """

    def __init__(self, client: "MlflowClient", uri: str, pipeline_run: str) -> None:
        self._client, self._uri = client, uri
        self._folder = Path(os.environ.get(FOLDER_VARIABLE) or ".plimsoll/spool").absolute() / pipeline_run
        self._remote = uri.startswith("http")
        self._holding = False
        self._queues: list[Queue] = []
        self._tried = 0.0
        self._lock = RLock()

    def hold(self) -> None:
        """From here on, writes are kept while the server is away; what earlier stages left is sent first."""
        self._holding = self._remote
        if self._holding:
            self._queues = left_queues(self._folder)

    def release(self, after_error: bool = False) -> None:
        """Sends what is kept, and waits for the server if need be; from here on, calls go straight through.

        Args:
            after_error: the stage has failed, and that is what its user must hear of: wait less and raise nothing.

        Raises:
            TrackingError: the server did not come back, or refuses what was kept; the folder stays.
        """
        try:
            self.flush(_WAIT_AFTER_ERROR_S if after_error else _patience_s())
        except TrackingError as error:
            if not after_error:
                raise
            warn(str(error))
        finally:
            self._holding = False
            for queue in self._queues:
                queue.close()
            self._queues = []

    def flush(self, wait_s: float | None = None) -> None:
        """Sends what is kept.

        Args:
            wait_s: how long to wait for the server; None: what the environment says.

        Raises:
            TrackingError: the server did not come back, or refuses what was kept; the folder stays.
        """
        patience = _patience_s() if wait_s is None else wait_s
        until = time.monotonic() + patience
        with self._lock:
            while self._queues and (error := self._send_kept()) is not None:
                if time.monotonic() >= until:
                    count = sum(len(queue.entries) for queue in self._queues)
                    raise TrackingError(
                        f"MLflow store {self._uri!r} did not answer for {patience:.0f} s: {count} writes are kept in "
                        f"{self._folder}; start the server, and run the step again where {FOLDER_VARIABLE} is this "
                        f"folder's parent ({error})"
                    )
                time.sleep(min(_TRY_EVERY_S, max(0.1, until - time.monotonic())))

    def log_batch(
        self,
        run_id: str,
        metrics: "Sequence[Metric]" = (),
        params: "Sequence[Param]" = (),
        tags: "Sequence[RunTag]" = (),
    ) -> None:
        """As MlflowClient."""
        self._write(
            lambda: self._client.log_batch(run_id, metrics=metrics, params=params, tags=tags),
            lambda _queue: Entry(
                "batch",
                run_id,
                {
                    "metrics": [[own.key, own.value, own.timestamp, own.step] for own in metrics],
                    "params": [[own.key, own.value] for own in params],
                    "tags": [[own.key, own.value] for own in tags],
                },
            ),
        )

    def log_artifact(self, run_id: str, local_path: str, artifact_path: str | None = None) -> None:
        """As MlflowClient, for a file."""
        self._write(
            lambda: self._client.log_artifact(run_id, local_path, artifact_path),
            lambda queue: Entry("file", run_id, {"path": queue.take(Path(local_path)), "folder": artifact_path}),
        )

    def log_artifacts(self, run_id: str, local_dir: str, artifact_path: str | None = None) -> None:
        """As MlflowClient."""
        self._write(
            lambda: self._client.log_artifacts(run_id, local_dir, artifact_path),
            lambda queue: Entry("folder", run_id, {"path": queue.take(Path(local_dir)), "folder": artifact_path}),
        )

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """As MlflowClient."""
        self._write(
            lambda: self._client.log_text(run_id, text, artifact_file),
            lambda _queue: Entry("text", run_id, {"text": text, "name": artifact_file}),
        )

    def log_inputs(self, run_id: str, datasets: "Sequence[DatasetInput]") -> None:
        """As MlflowClient."""
        self._write(
            lambda: self._client.log_inputs(run_id, datasets=datasets),
            lambda _queue: Entry("inputs", run_id, {"datasets": [own.to_dictionary() for own in datasets]}),
        )

    def set_terminated(self, run_id: str, status: str) -> None:
        """As MlflowClient; a run that ends late ends at the time of this call."""
        now = int(time.time() * 1000)
        self._write(
            lambda: self._client.set_terminated(run_id, status, now),
            lambda _queue: Entry("end", run_id, {"status": status, "time": now}),
        )

    def _write(self, now: Callable[[], object], kept: Callable[[Queue], Entry]) -> None:
        if not self._holding:
            now()
            return
        with self._lock:
            if self._queues and (time.monotonic() - self._tried < _TRY_EVERY_S or self._send_kept() is not None):
                self._keep(kept)
                return
            try:
                with in_a_hurry():
                    now()
            except Exception as error:
                if not is_outage(error):
                    raise
                self._tried = time.monotonic()
                self._keep(kept)
                warn(f"MLflow store {self._uri!r} does not answer: what is logged is kept in {self._folder}")

    def _keep(self, kept: Callable[[Queue], Entry]) -> None:
        if not self._queues or self._queues[-1].inherited:  # ours is last: what was left comes first
            self._queues.append(Queue.begin(self._folder))
        self._queues[-1].append(kept(self._queues[-1]))

    def _send_kept(self) -> Exception | None:
        """Sends what is kept, in order; the reason where the server is still away.

        Raises:
            TrackingError: it refuses an entry.
        """
        self._tried = time.monotonic()
        while self._queues:
            queue = self._queues[0]
            while queue.entries:
                try:
                    with in_a_hurry():
                        send(self._client, queue.entries[0], queue.folder)
                except Exception as error:  # noqa: BLE001 - what is no outage is refused, whatever it is
                    if is_outage(error):
                        return error
                    self._refused(queue, error)
                    break
                queue.entries.popleft()
            else:
                self._queues.pop(0)
                queue.remove()
        return None

    def _refused(self, queue: Queue, error: Exception) -> None:
        """The server answers, but does not take an entry: waiting does not help."""
        aside = queue.set_aside()
        self._queues.remove(queue)
        message = f"MLflow store {self._uri!r} refuses what was kept for it: {error}; it is set aside in {aside}"
        if not queue.inherited:
            raise TrackingError(message) from error
        warn(message)  # of an earlier attempt, whose run may be gone: this one goes on


def _patience_s() -> float:
    return float(os.environ.get(WAIT_VARIABLE, _WAIT_S))
