"""Finds a pipeline run in MLflow by any of its ids, and downloads what was logged with it."""

import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from components.shared.config.sections import TrackingConfig
from components.shared.errors import TrackingError
from components.shared.tracking.registry import fetch_version
from components.shared.tracking.retry import FIRST_ANSWER_S, MlflowRefusalError
from components.shared.tracking.runs import PARENT, open_client
from components.shared.tracking.tagged import tagged_runs

_ID = re.compile(r"[\w.-]+", re.ASCII)
_MODEL_TAG, _VERSION_TAG = "plimsoll.registered_model", "plimsoll.registered_version"


class RecordedRun(NamedTuple):
    """A pipeline run, ended or still running.

    Attributes:
        tracking: the store, and the run's experiment.
        run_id: of the parent in MLflow.
        pipeline_run: the id that `plimsoll run` shows.
        tags: of the parent.
    """

    tracking: TrackingConfig
    run_id: str
    pipeline_run: str
    tags: dict[str, str]

    def fetch(self, name: str, target: Path) -> Path | None:
        """Downloads an artifact, file or folder, below `target`; None where the run has none of that name.

        Raises:
            TrackingError: it cannot be downloaded.
        """
        client, folder = open_client(self.tracking), name.rpartition("/")[0] or None
        if name not in {entry.path for entry in client.list_artifacts(self.run_id, folder)}:
            return None
        return Path(client.download_artifacts(self.run_id, name, str(target)))

    def fetch_registered(self, target: Path) -> Path | None:
        """Downloads the adapter of the version that the run registered; None where it registered none.

        Raises:
            TrackingError: it cannot be downloaded.
        """
        model, version = self.tags.get(_MODEL_TAG), self.tags.get(_VERSION_TAG)
        if model is None or version is None:
            return None
        return fetch_version(self.tracking.uri, model, version, target)


def find_run(tracking: TrackingConfig, identity: str) -> RecordedRun:
    """The pipeline run with an id: its MLflow run's, that of one of its stages, or the one that `plimsoll run` shows.

    All experiments of the store are searched. A missing sqlite file is not created.

    Raises:
        TrackingError: the store cannot be opened, or holds no such run or several.
    """
    if (database := tracking.sqlite_file) is not None and not database.is_file():
        raise TrackingError(
            f"there is no MLflow store {str(database)!r}; name the one of the run with --config or --tracking-uri"
        )
    client = open_client(tracking, FIRST_ANSWER_S)
    parents = []
    if _ID.fullmatch(identity):
        experiments = [str(experiment.experiment_id) for experiment in client.search_experiments()]
        parents = tagged_runs(client, experiments, {"plimsoll.pipeline_run": identity, "plimsoll.stage": PARENT})
    if not parents:
        with suppress(MlflowRefusalError):  # no such MLflow run
            parent_id = client.get_run(identity).data.tags.get("mlflow.parentRunId", identity)
            parents = [run for run in [client.get_run(parent_id)] if run.data.tags.get("plimsoll.stage") == PARENT]
    if len(parents) != 1:
        count = f"{len(parents)} pipeline runs" if parents else "no pipeline run"
        raise TrackingError(
            f"MLflow store {tracking.uri!r} holds {count} {identity!r}; expected an MLflow run id, or the id that "
            "`plimsoll run` prints (the store is taken from --config or --tracking-uri)"
        )
    tags = dict(parents[0].data.tags)
    experiment = client.get_experiment(parents[0].info.experiment_id)
    return RecordedRun(
        tracking.model_copy(update={"experiment": str(experiment.name)}),
        str(parents[0].info.run_id),
        tags["plimsoll.pipeline_run"],
        tags,
    )
