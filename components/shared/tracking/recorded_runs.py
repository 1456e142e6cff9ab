"""Finds a pipeline run in MLflow by either of its ids, and fetches what was logged with it.

Steps log under a run that they know; a person comes later with an id. This module does not know what the files mean.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components.shared.config.sections import TrackingConfig
from components.shared.errors import TrackingError
from components.shared.tracking.runs import PARENT, open_client

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_ID = re.compile(r"[\w.-]+", re.ASCII)
_MODEL_TAG, _VERSION_TAG = "plimsoll.registered_model", "plimsoll.registered_version"


class RecordedRun(NamedTuple):
    """A pipeline run that is over or under way.

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
        from mlflow.exceptions import MlflowException

        client, folder = open_client(self.tracking), name.rpartition("/")[0] or None
        try:
            if name not in {entry.path for entry in client.list_artifacts(self.run_id, folder)}:
                return None
            return Path(client.download_artifacts(self.run_id, name, str(target)))
        except (MlflowException, OSError) as error:
            raise TrackingError(f"run {self.run_id}: {name} cannot be downloaded: {error}") from error

    def fetch_registered(self, target: Path) -> Path | None:
        """Downloads the adapter of the version that the run registered; None where it registered none.

        Raises:
            TrackingError: it cannot be downloaded.
        """
        import mlflow
        from mlflow.exceptions import MlflowException

        model, version = self.tags.get(_MODEL_TAG), self.tags.get(_VERSION_TAG)
        if model is None or version is None:
            return None
        address, uri = f"models:/{model}/{version}/artifacts/adapter", self.tracking.uri
        try:
            found = mlflow.artifacts.download_artifacts(
                artifact_uri=address, dst_path=str(target), tracking_uri=uri, registry_uri=uri
            )
        except (MlflowException, OSError) as error:
            raise TrackingError(f"{address}: cannot be downloaded: {error}") from error
        return Path(found)


def find_run(tracking: TrackingConfig, identity: str) -> RecordedRun:
    """The pipeline run with an id: of its MLflow run, of one of its stages' runs, or the one that `plimsoll run` shows.

    All experiments of the store are searched; nothing is made where there is no store.

    Raises:
        TrackingError: the store cannot be opened, or holds no such run or several.
    """
    from mlflow.exceptions import MlflowException

    if (database := tracking.sqlite_file) is not None and not database.is_file():
        raise TrackingError(
            f"there is no MLflow store {str(database)!r}; name the one of the run with --config or --tracking-uri"
        )
    client = open_client(tracking)
    runs = _tagged(client, identity) if _ID.fullmatch(identity) else []
    if not runs:
        try:
            own = client.get_run(identity)
            runs = [client.get_run(own.data.tags.get("mlflow.parentRunId", identity))]
        except MlflowException:
            runs = []
    found = [run for run in runs if run.data.tags.get("plimsoll.stage") == PARENT]
    if len(found) != 1:
        what = "no pipeline run" if not found else f"{len(found)} pipeline runs"
        raise TrackingError(
            f"MLflow store {tracking.uri!r} holds {what} {identity!r}; expected an MLflow run id, or the id that "
            "`plimsoll run` prints (the store is taken from --config or --tracking-uri)"
        )
    experiment = client.get_experiment(found[0].info.experiment_id).name
    tags = dict(found[0].data.tags)
    return RecordedRun(
        tracking.model_copy(update={"experiment": str(experiment)}),
        str(found[0].info.run_id),
        tags["plimsoll.pipeline_run"],
        tags,
    )


def _tagged(client: "MlflowClient", pipeline_run: str) -> "list[Run]":
    experiments = [own.experiment_id for own in client.search_experiments()]
    condition = f"tags.`plimsoll.pipeline_run` = '{pipeline_run}' and tags.`plimsoll.stage` = '{PARENT}'"
    return list(client.search_runs(experiments, condition))
