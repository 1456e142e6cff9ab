"""One MLflow run per pipeline run, and a nested run per stage.

The parent is found by its tags, so that no MLflow run id has to cross a task boundary. Every stage opens and closes
its own nested run; only the launcher or the exit handler closes the parent.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple
from uuid import uuid4

from components.shared.config.run_context import RunContext
from components.shared.config.sections import TrackingConfig
from components.shared.errors import PlimsollError, TrackingError
from components.shared.progress import Say, speaker
from components.shared.redaction import redacted
from components.shared.storage import names_full_disk
from components.shared.tracking.injected import adopt_injected
from components.shared.tracking.lost_parents import deleted, parent_elsewhere
from components.shared.tracking.retry import (
    DEADLINE_S,
    MlflowRefusalError,
    reach_database,
    retrying,
    until_deadline,
)
from components.shared.tracking.sqlite_stores import make_whole
from components.shared.tracking.stage_run import StageRun
from components.shared.tracking.tagged import tagged_runs

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Status = Literal["FINISHED", "FAILED", "KILLED"]

PARENT = "pipeline"
"""Stage name of the run of a whole pipeline run."""
_OPENED_TAG = "plimsoll.opened"
"""Differs for every opening of a stage, so that a retried stage gets a run of its own."""
_EXPERIMENT_TAG = "plimsoll.experiment"
"""Of the parent: the experiment's name in the config, by which it is found where the experiment was renamed."""
AFTER_ERROR_S = 30.0
"""Seconds for which recording a stage's error in MLflow is tried; the error itself is raised either way."""


class StageFailure(NamedTuple):
    """A stage that failed: its name, its error's class (KILLED for an interruption) and message."""

    stage: str
    kind: str
    message: str


class Tracker:
    """The MLflow runs of one pipeline run.

    Args:
        context: store and pipeline run.
        deadline_s: seconds for which a call is repeated while the server is away.

    Raises:
        TrackingError: the store cannot be opened.
    """

    def __init__(self, context: RunContext, deadline_s: float = DEADLINE_S) -> None:
        self.context = context
        self._deadline_s = deadline_s
        self.client = open_client(context.tracking, deadline_s)
        self.experiment_id = self._experiment_id()

    def parent(self, say: Say | None = None) -> StageRun:
        """The run of the whole pipeline; created when this is the first to ask.

        It is followed into an experiment that was renamed meanwhile.

        Raises:
            TrackingError: it was deleted, or its experiment.
        """
        return StageRun(self.client, self._parent_id(), say or speaker(PARENT))

    @contextmanager
    def stage(self, name: str) -> Iterator[StageRun]:
        """A nested run while the stage lasts: FINISHED at the end, FAILED with the reason after an error.

        Raises:
            TrackingError: the server was away for too long.
            FullDiskError: whatever was done in the stage found a disk full.
        """
        say = speaker(name)
        parent_id = self.parent().run_id
        tags = {"mlflow.parentRunId": parent_id, **self._tags(name), _OPENED_TAG: uuid4().hex}
        stage = StageRun(self.client, self._find_or_create(name, tags), say)
        adopt_injected(self.client, parent_id, stage.run_id)
        try:
            with names_full_disk():
                yield stage
            self.client.set_terminated(stage.run_id, "FINISHED")
        except BaseException as error:
            failed = isinstance(error, Exception)
            kind = type(error).__name__ if failed else "KILLED"
            message = redacted(str(error)) or type(error).__name__
            try:
                client = open_client(self.context.tracking, min(self._deadline_s, AFTER_ERROR_S))
                StageRun(client, stage.run_id, say).tags({"plimsoll.error_kind": kind, "plimsoll.error": message})
                client.set_terminated(stage.run_id, "FAILED" if failed else "KILLED")
            except TrackingError as lost:  # the stage's error is the one to raise
                say(f"error: {lost}")
            prefix = "error" if isinstance(error, PlimsollError) else f"error: {kind}"
            say(f"{prefix}: {message}")
            raise

    def failures(self) -> list[StageFailure]:
        """The stages of this run that failed, in order; not one that was tried again and finished."""
        stages = self._stages()
        finished = {run.data.tags["plimsoll.stage"] for run in stages if run.info.status == "FINISHED"}
        return [
            StageFailure(
                run.data.tags["plimsoll.stage"],
                run.data.tags.get("plimsoll.error_kind", run.info.status),
                run.data.tags.get("plimsoll.error", f"ended as {run.info.status} without a message"),
            )
            for run in reversed(stages)
            if run.info.status in ("FAILED", "KILLED") and run.data.tags["plimsoll.stage"] not in finished
        ]

    def close(self, status: Status) -> None:
        """Ends the parent, and every stage that was left running by a process that is gone."""
        parent_id = self._parent_id()
        for run in self._stages():
            if run.info.status == "RUNNING":
                self.client.set_terminated(run.info.run_id, "FAILED" if status == "FINISHED" else status)
        self.client.set_terminated(parent_id, status)

    def parent_status(self) -> str:
        """RUNNING, FINISHED, FAILED or KILLED."""
        return str(self.client.get_run(self.parent().run_id).info.status)

    def _tags(self, stage: str) -> dict[str, str]:
        return {
            "plimsoll.stage": stage,
            "plimsoll.pipeline": self.context.pipeline,
            "plimsoll.pipeline_run": self.context.pipeline_run,
        }

    def _parent_tags(self) -> dict[str, str]:
        return {**self._tags(PARENT), _EXPERIMENT_TAG: self.context.tracking.experiment}

    def _experiment_id(self) -> str:
        """The experiment of the config's name; if it is missing, the one that holds this run, or a new one."""
        tracking = self.context.tracking
        if experiment := self.client.get_experiment_by_name(tracking.experiment):
            return str(experiment.experiment_id)
        if (run := parent_elsewhere(self.client, tracking, self._parent_tags())) is not None:
            return str(run.info.experiment_id)
        return _new_experiment(self.client, tracking)

    def _parent_id(self) -> str:
        if runs := tagged_runs(self.client, [self.experiment_id], self._tags(PARENT)):
            return str(runs[0].info.run_id)
        tags = self._parent_tags()
        if (run := parent_elsewhere(self.client, self.context.tracking, tags)) is not None:
            self.experiment_id = str(run.info.experiment_id)
            return str(run.info.run_id)
        experiment = self.client.get_experiment(self.experiment_id)
        if experiment.lifecycle_stage == "deleted":
            raise deleted(self.context.tracking, experiment)
        return self._find_or_create(f"{self.context.pipeline}-{self.context.pipeline_run}", tags)

    def _find_or_create(self, name: str, tags: Mapping[str, str]) -> str:
        """The id of the run with these tags, created if missing; searched before each try, as answers may get lost."""

        def run_id() -> str:
            runs = tagged_runs(self.client, [self.experiment_id], tags)
            run = runs[0] if runs else self.client.create_run(self.experiment_id, run_name=name, tags=dict(tags))
            return str(run.info.run_id)

        return until_deadline(run_id, self.context.tracking.uri, self._deadline_s)

    def _stages(self) -> "list[Run]":
        runs = tagged_runs(self.client, [self.experiment_id], {"plimsoll.pipeline_run": self.context.pipeline_run})
        return [run for run in runs if run.data.tags.get("plimsoll.stage", PARENT) != PARENT]


def open_client(tracking: TrackingConfig, deadline_s: float = DEADLINE_S) -> "MlflowClient":
    """A client of the store, whose calls are repeated while the server is away; a sqlite store is made if missing.

    Args:
        tracking: the store.
        deadline_s: seconds for which a call is repeated.

    Raises:
        TrackingError: the store cannot be opened.
    """
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # mlflow would repeat create_run, too, without looking first

    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # prints tracebacks of what is raised, too

    def connect() -> "MlflowClient":
        if (database := tracking.sqlite_file) is not None:
            make_whole(database, _connected)
        reach_database(tracking.uri)
        return _connected(tracking.uri)

    return retrying(until_deadline(connect, tracking.uri, deadline_s), tracking.uri, deadline_s)


def _connected(uri: str) -> "MlflowClient":
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.search_experiments(max_results=1)
    return client


def _new_experiment(client: "MlflowClient", tracking: TrackingConfig) -> str:
    location = None
    if (database := tracking.sqlite_file) is not None:
        location = (database.parent / "mlartifacts").absolute().as_uri()
    try:
        return str(client.create_experiment(tracking.experiment, artifact_location=location))
    except MlflowRefusalError:  # another process was faster, or the answer to an earlier try was lost
        experiment = client.get_experiment_by_name(tracking.experiment)
        if experiment is None:
            raise
        return str(experiment.experiment_id)
