"""One MLflow run per pipeline run, and a nested run per stage.

The parent is found by its tag `plimsoll.pipeline_run`, so that no run id has to cross a task boundary; every
stage opens and closes its own nested run, and only the launcher or the exit handler closes the parent. The
client is used throughout: the fluent API would end runs that belong to others. This module does not know what
a stage measures.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.errors import PlimsollError, TrackingError
from components.shared.progress import Say, speaker
from components.shared.tracking.injected import adopt_injected
from components.shared.tracking.spool import Spool
from components.shared.tracking.stage_run import StageRun

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Status = Literal["FINISHED", "FAILED", "KILLED"]

PARENT = "pipeline"
"""Stage name of the run of a whole pipeline run."""


class StageFailure(NamedTuple):
    """A stage that failed: its name, its error's class (KILLED for an interruption) and message."""

    stage: str
    kind: str
    message: str


class Tracker:
    """The MLflow runs of one pipeline run.

    Raises:
        TrackingError: the store cannot be opened.
    """

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.client = open_client(context.tracking)
        self.experiment_id = _experiment_id(self.client, context.tracking)
        self._spool = Spool(self.client, context.tracking.uri, context.pipeline_run)

    def parent(self, say: Say | None = None) -> StageRun:
        """The run of the whole pipeline; created when this is the first to ask."""
        run_id = self._find_parent() or self._create_parent()
        return StageRun(self.client, run_id, say or speaker(PARENT), self._spool)

    @contextmanager
    def stage(self, name: str) -> Iterator[StageRun]:
        """A nested run while the stage lasts: FINISHED at the end, FAILED with the reason after an error.

        Raises:
            TrackingError: what was logged could not be sent to the server; it is kept, see `spool`.
        """
        say = speaker(name)
        parent_id = self.parent().run_id
        tags = {"mlflow.parentRunId": parent_id, **self._tags(name)}
        run = self.client.create_run(self.experiment_id, run_name=name, tags=tags)
        stage = StageRun(self.client, run.info.run_id, say, self._spool)
        adopt_injected(self.client, parent_id, stage.run_id)
        self._spool.hold()
        try:
            yield stage
        except BaseException as error:
            failed = isinstance(error, Exception)
            kind = type(error).__name__ if failed else "KILLED"
            message = str(error) or type(error).__name__
            try:
                stage.tags({"plimsoll.error_kind": kind, "plimsoll.error": message})
                self._spool.set_terminated(stage.run_id, "FAILED" if failed else "KILLED")
                self._spool.release(after_error=True)
            except TrackingError as lost:  # the reason of the stage is what counts
                say(f"error: {lost}")
            prefix = "error" if isinstance(error, PlimsollError) else f"error: {kind}"
            say(f"{prefix}: {message}")
            raise
        self._spool.set_terminated(stage.run_id, "FINISHED")
        try:
            self._spool.release()
        except TrackingError as error:
            say(f"error: {error}")
            raise

    def failures(self) -> list[StageFailure]:
        """The stages of this run that failed, in order; not one that was tried again and finished."""
        finished = {run.data.tags["plimsoll.stage"] for run in self._stages() if run.info.status == "FINISHED"}
        return [
            StageFailure(
                run.data.tags["plimsoll.stage"],
                run.data.tags.get("plimsoll.error_kind", run.info.status),
                run.data.tags.get("plimsoll.error", f"ended as {run.info.status} without a message"),
            )
            for run in reversed(self._stages())
            if run.info.status in ("FAILED", "KILLED") and run.data.tags["plimsoll.stage"] not in finished
        ]

    def close(self, status: Status) -> None:
        """Ends the parent, and every stage that was left running by a process that is gone."""
        for run in self._stages():
            if run.info.status == "RUNNING":
                self.client.set_terminated(run.info.run_id, "FAILED" if status == "FINISHED" else status)
        self.client.set_terminated(self.parent().run_id, status)

    def parent_status(self) -> str:
        """RUNNING, FINISHED, FAILED or KILLED."""
        return str(self.client.get_run(self.parent().run_id).info.status)

    def _tags(self, stage: str) -> dict[str, str]:
        return {
            "plimsoll.stage": stage,
            "plimsoll.pipeline": self.context.pipeline,
            "plimsoll.pipeline_run": self.context.pipeline_run,
        }

    def _find_parent(self) -> str | None:
        runs = self._search(f"tags.`plimsoll.stage` = '{PARENT}'")
        return str(runs[0].info.run_id) if runs else None

    def _create_parent(self) -> str:
        name = f"{self.context.pipeline}-{self.context.pipeline_run}"
        run = self.client.create_run(self.experiment_id, run_name=name, tags=self._tags(PARENT))
        return str(run.info.run_id)

    def _stages(self) -> "list[Run]":
        return self._search(f"tags.`plimsoll.stage` != '{PARENT}'")

    def _search(self, condition: str) -> "list[Run]":
        run = self.context.pipeline_run
        condition = f"tags.`plimsoll.pipeline_run` = '{run}' and {condition}"
        return list(self.client.search_runs([self.experiment_id], condition))


def open_client(tracking: TrackingConfig) -> "MlflowClient":
    """A client of the store; a sqlite store is made when it does not exist.

    Raises:
        TrackingError: the store cannot be opened.
    """
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    if (database := tracking.sqlite_file) is not None:
        database.parent.mkdir(parents=True, exist_ok=True)
    try:
        client = mlflow.MlflowClient(tracking_uri=tracking.uri, registry_uri=tracking.uri)
        client.search_experiments(max_results=1)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise TrackingError(f"MLflow store {tracking.uri!r} cannot be opened: {error}; check tracking.uri") from error
    return client


def _experiment_id(client: "MlflowClient", tracking: TrackingConfig) -> str:
    from mlflow.exceptions import MlflowException

    location = None
    if (database := tracking.sqlite_file) is not None:
        location = (database.parent / "mlartifacts").absolute().as_uri()
    if found := client.get_experiment_by_name(tracking.experiment):
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(tracking.experiment, artifact_location=location))
    except MlflowException:  # another process was faster
        found = client.get_experiment_by_name(tracking.experiment)
        if found is None:
            raise
        return str(found.experiment_id)
