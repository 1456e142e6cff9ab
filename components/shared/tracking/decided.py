"""What was decided last, and on what: the newest decided run of a pipeline, a run's outcome, and the champion's run.

Nothing is made: a store, an experiment or a run that is not there is simply not there. This module does not know
whether anything has to be done about it.
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

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_PAGE = 1000
_Kind = TypeVar("_Kind", bound=Artifact)


class Outcome(NamedTuple):
    """How far a pipeline run has come.

    Attributes:
        pipeline_run: its id.
        run_id: of the parent in MLflow.
        experiment_id: in MLflow.
        status: RUNNING, FINISHED, FAILED or KILLED.
        decision: the gate's, or None.
        error: what failed, in words; None where nothing did.
        link: where the run is seen, for a server; None for a store on disk.
        started: when, UTC.
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
    """A decided run and everything that a decision's age and inputs are read from.

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
    """The version that serves now, and the day on which its evidence was judged."""

    version: str
    pipeline_run: str
    decided_on: date


def outcome_of(tracking: TrackingConfig, pipeline_run: str) -> Outcome | None:
    """How far a pipeline run has come; None where MLflow does not know it yet.

    Raises:
        TrackingError: the store cannot be opened.
    """
    found = _parents(tracking, {"plimsoll.pipeline_run": pipeline_run})
    return _outcome(tracking, found[0]) if found else None


def running_since(tracking: TrackingConfig, pipeline: str, since: datetime) -> list[Outcome]:
    """The runs of a pipeline that began at a time or later, the newest first."""
    found = [_outcome(tracking, run) for run in _parents(tracking, {"plimsoll.pipeline": pipeline})]
    return [outcome for outcome in found if outcome.started >= since]


def last_decided(tracking: TrackingConfig, pipeline: str) -> RecordedRun | None:
    """The newest run of a pipeline that has a decision; None where there is none.

    Raises:
        TrackingError: the store cannot be opened.
    """
    for run in _parents(tracking, {"plimsoll.pipeline": pipeline}):
        tags = dict(run.data.tags)
        if DECISION_TAG in tags:
            return RecordedRun(tracking, str(run.info.run_id), tags["plimsoll.pipeline_run"], tags)
    return None


def decided_on(run: RecordedRun) -> DecidedOn:
    """What a decided run was decided on, from the evidence that the gate kept.

    Raises:
        TrackingError: the run has no such evidence.
        IntegrityError: it was changed since.
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
    """The champion of a registered model; None where there is none.

    Its day is that of its run's decision, or where that run is gone, the day on which the version was made.

    Raises:
        TrackingError: the store cannot be opened.
    """
    client = _client(tracking)
    version = champion_version(client, model_name) if client is not None else None
    if client is None or version is None:
        return None
    found = client.get_model_version(model_name, version)
    pipeline_run = str(found.tags.get(RUN_TAG, ""))
    day = datetime.fromtimestamp(found.creation_timestamp / 1000, UTC).date()
    parents = _tagged(client, None, {"plimsoll.pipeline_run": pipeline_run}) if pipeline_run else []
    if parents:
        run = RecordedRun(tracking, str(parents[0].info.run_id), pipeline_run, dict(parents[0].data.tags))
        with suppress(TrackingError):  # its artifacts may be gone though the version is not
            day = _artifact(run, GateDecision, "gate_decision.json").decided_on
    return Champion(version, pipeline_run, day)


def run_link(tracking: TrackingConfig, experiment_id: str, run_id: str | None = None) -> str | None:
    """Where an experiment or a run is seen in MLflow's UI; None for a store on disk."""
    if not tracking.uri.startswith("http"):
        return None
    place = f"{tracking.uri.rstrip('/')}/#/experiments/{experiment_id}"
    return place if run_id is None else f"{place}/runs/{run_id}"


def experiment_link(tracking: TrackingConfig) -> str | None:
    """Where the experiment is seen; the server's own address where it has no such experiment yet; None on disk."""
    if not tracking.uri.startswith("http"):
        return None
    found = open_client(tracking).get_experiment_by_name(tracking.experiment)
    return run_link(tracking, str(found.experiment_id)) if found is not None else tracking.uri


def _artifact(run: RecordedRun, kind: type[_Kind], name: str) -> _Kind:
    with TemporaryDirectory() as directory:
        found = run.fetch(name, Path(directory))
        if found is None:
            raise TrackingError(
                f"run {run.run_id} (pipeline run {run.pipeline_run}) has no {name}: it was decided without; run again"
            )
        return kind.parse(found.read_text(encoding="utf-8"), f"{name} of run {run.run_id}")


def _client(tracking: TrackingConfig) -> "MlflowClient | None":
    """A client, or None where a store on disk does not exist yet."""
    if (database := tracking.sqlite_file) is not None and not database.is_file():
        return None
    return open_client(tracking)


def _parents(tracking: TrackingConfig, tags: Mapping[str, str]) -> "list[Run]":
    client = _client(tracking)
    if client is None:
        return []
    experiment = client.get_experiment_by_name(tracking.experiment)
    return _tagged(client, str(experiment.experiment_id), tags) if experiment is not None else []


def _tagged(client: "MlflowClient", experiment_id: str | None, tags: Mapping[str, str]) -> "list[Run]":
    """The parents with these tags, the newest first, in one experiment or in all."""
    experiments = [experiment_id] if experiment_id else [str(own.experiment_id) for own in client.search_experiments()]
    wanted = {"plimsoll.stage": PARENT, **tags}
    condition = " and ".join(f"tags.`{name}` = '{value}'" for name, value in wanted.items())
    found: list[Run] = []
    token: str | None = None
    while True:
        page = client.search_runs(
            experiments, condition, order_by=["attributes.start_time DESC"], max_results=_PAGE, page_token=token
        )
        found.extend(page)
        token = page.token
        if not token:
            return found


def _outcome(tracking: TrackingConfig, run: "Run") -> Outcome:
    tags = dict(run.data.tags)
    run_id, experiment_id = str(run.info.run_id), str(run.info.experiment_id)
    stage, error = tags.get("plimsoll.failed_stage"), tags.get("plimsoll.error")
    return Outcome(
        tags["plimsoll.pipeline_run"],
        run_id,
        experiment_id,
        str(run.info.status),
        tags.get(DECISION_TAG),
        f"{stage}: {error}" if stage and error else error,
        run_link(tracking, experiment_id, run_id),
        datetime.fromtimestamp(run.info.start_time / 1000, UTC),
    )
