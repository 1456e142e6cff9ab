"""Reads where a pipeline stands: its newest decided run, the state of a run, and the champion's run.

Nothing is created: a store, an experiment or a run that does not exist yields None or an empty list.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from components.shared.artifacts.artifact import Artifact
from components.shared.artifacts.decision import GateDecision
from components.shared.artifacts.training_data import AdapterManifest, PromptSet, TrainingData
from components.shared.config.sections import TrackingConfig
from components.shared.errors import TrackingError
from components.shared.tracking.history import BASE_TAG, DECISION_TAG
from components.shared.tracking.recorded_runs import RecordedRun
from components.shared.tracking.registry import RUN_TAG, champion_version
from components.shared.tracking.runs import PARENT, open_client
from components.shared.tracking.tagged import tagged_runs
from components.shared.tracking.waiting import requests_end_after

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_Kind = TypeVar("_Kind", bound=Artifact)
_LINK_S = 10.0
"""Seconds for which a silent server is waited for where only a link is wanted."""


class PipelineRunStatus(NamedTuple):
    """How far a pipeline run has come, as MLflow knows it.

    Attributes:
        pipeline_run: its id.
        run_id: of the parent in MLflow.
        experiment_id: in MLflow.
        status: RUNNING, FINISHED, FAILED or KILLED.
        decision: the gate's, or None.
        error: stage and message of the failure; None without one.
        link: the run's page in MLflow's UI; None for a store on disk.
        started: start of the run, UTC.
    """

    pipeline_run: str
    run_id: str
    experiment_id: str
    status: str
    decision: str | None
    error: str | None
    link: str | None
    started: datetime


class DecidedOn(NamedTuple):
    """A decided run and the artifacts that tell its date and its inputs.

    Attributes:
        run: the run in MLflow.
        decision: the gate's.
        data: sources, with their digests.
        prompts: suites, with their digests.
        manifest: base, recipe and policy of the adapter.
        base_digest: of the base model.
    """

    run: RecordedRun
    decision: GateDecision
    data: TrainingData
    prompts: PromptSet
    manifest: AdapterManifest
    base_digest: str


class Champion(NamedTuple):
    """The version with alias `champion`, its pipeline run, and the day of its decision."""

    version: str
    pipeline_run: str
    decided_on: date


def pipeline_run_status(tracking: TrackingConfig, pipeline_run: str) -> PipelineRunStatus | None:
    """How far a pipeline run has come; None if MLflow has no such run.

    Raises:
        TrackingError: the store cannot be opened.
    """
    runs = _parents(tracking, {"plimsoll.pipeline_run": pipeline_run})
    return _status(tracking, runs[0]) if runs else None


def running_since(tracking: TrackingConfig, pipeline: str, since: datetime) -> list[PipelineRunStatus]:
    """The runs of a pipeline that began at a time or later, the newest first."""
    states = [_status(tracking, run) for run in _parents(tracking, {"plimsoll.pipeline": pipeline})]
    return [state for state in states if state.started >= since]


def last_decided(tracking: TrackingConfig, pipeline: str) -> RecordedRun | None:
    """The newest run of a pipeline that has a decision; None without one.

    Raises:
        TrackingError: the store cannot be opened.
    """
    for run in _parents(tracking, {"plimsoll.pipeline": pipeline}):
        tags = dict(run.data.tags)
        if DECISION_TAG in tags:
            return RecordedRun(tracking, str(run.info.run_id), tags["plimsoll.pipeline_run"], tags)
    return None


def decided_on(run: RecordedRun) -> DecidedOn:
    """The inputs of a decision, from the evidence that the gate logged.

    Raises:
        TrackingError: the run has no such evidence.
        IntegrityError: the evidence was changed afterwards.
    """
    decision = _artifact(run, GateDecision, "gate_decision.json")
    manifest = _artifact(run, AdapterManifest, "evidence/adapter/manifest.json")
    return DecidedOn(
        run,
        decision,
        _artifact(run, TrainingData, "evidence/training_data.json"),
        _artifact(run, PromptSet, "evidence/prompt_set.json"),
        manifest,
        run.tags.get(BASE_TAG, manifest.base_digest),
    )


def champion_of(tracking: TrackingConfig, model_name: str) -> Champion | None:
    """The champion of a registered model; None without one.

    Its day is that of its run's decision, or if that run was deleted, the day on which the version was created.

    Raises:
        TrackingError: the store cannot be opened.
    """
    client = _client(tracking)
    number = champion_version(client, model_name) if client is not None else None
    if client is None or number is None:
        return None
    version = client.get_model_version(model_name, number)
    pipeline_run = str(version.tags.get(RUN_TAG, ""))
    day = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC).date()
    experiments = [str(experiment.experiment_id) for experiment in client.search_experiments()]
    tags = {"plimsoll.stage": PARENT, "plimsoll.pipeline_run": pipeline_run}
    if parents := tagged_runs(client, experiments, tags):
        run = RecordedRun(tracking, str(parents[0].info.run_id), pipeline_run, dict(parents[0].data.tags))
        with suppress(TrackingError):  # its artifacts may have been deleted
            day = _artifact(run, GateDecision, "gate_decision.json").decided_on
    return Champion(number, pipeline_run, day)


def run_link(tracking: TrackingConfig, experiment_id: str, run_id: str | None = None) -> str | None:
    """The address of an experiment or a run in MLflow's UI; None for a store on disk."""
    if not tracking.uri.startswith("http"):
        return None
    address = f"{tracking.uri.rstrip('/')}/#/experiments/{experiment_id}"
    return address if run_id is None else f"{address}/runs/{run_id}"


def experiment_link(tracking: TrackingConfig) -> str | None:
    """The experiment's address in MLflow's UI; the server's if it has no such experiment yet; None for a store on disk.

    Raises:
        TrackingError: the server does not answer; it is asked once.
    """
    if not tracking.uri.startswith("http"):
        return None
    with requests_end_after(_LINK_S):
        experiment = open_client(tracking, deadline_s=0).get_experiment_by_name(tracking.experiment)
    return run_link(tracking, str(experiment.experiment_id)) if experiment is not None else tracking.uri


def _artifact(run: RecordedRun, kind: type[_Kind], name: str) -> _Kind:
    with TemporaryDirectory() as directory:
        path = run.fetch(name, Path(directory))
        if path is None:
            raise TrackingError(
                f"run {run.run_id} (pipeline run {run.pipeline_run}) has no {name}, which check_gate logs with every "
                "decision; run the pipeline again"
            )
        return kind.parse(path.read_text(encoding="utf-8"), f"{name} of run {run.run_id}")


def _client(tracking: TrackingConfig) -> "MlflowClient | None":
    """A client, or None if the store is a sqlite file that does not exist."""
    if (database := tracking.sqlite_file) is not None and not database.is_file():
        return None
    return open_client(tracking)


def _parents(tracking: TrackingConfig, tags: Mapping[str, str]) -> "list[Run]":
    """The runs of whole pipeline runs with these tags, the newest first; none without a store or an experiment."""
    client = _client(tracking)
    experiment = client.get_experiment_by_name(tracking.experiment) if client is not None else None
    if client is None or experiment is None:
        return []
    return tagged_runs(client, [str(experiment.experiment_id)], {"plimsoll.stage": PARENT, **tags})


def _status(tracking: TrackingConfig, run: "Run") -> PipelineRunStatus:
    tags = dict(run.data.tags)
    run_id, experiment_id = str(run.info.run_id), str(run.info.experiment_id)
    stage, error = tags.get("plimsoll.failed_stage"), tags.get("plimsoll.error")
    return PipelineRunStatus(
        tags["plimsoll.pipeline_run"],
        run_id,
        experiment_id,
        str(run.info.status),
        tags.get(DECISION_TAG),
        f"{stage}: {error}" if stage and error else error,
        run_link(tracking, experiment_id, run_id),
        datetime.fromtimestamp(run.info.start_time / 1000, UTC),
    )
