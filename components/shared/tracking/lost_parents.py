"""Finds the MLflow run of a pipeline run after its experiment was renamed, or says that one of them was deleted."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from components.shared.config.sections import TrackingConfig
from components.shared.errors import TrackingError
from components.shared.tracking.tagged import tagged_runs

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run


def parent_elsewhere(client: "MlflowClient", tracking: TrackingConfig, tags: Mapping[str, str]) -> "Run | None":
    """The run with these tags in any experiment; None if there never was one.

    Args:
        client: of the store.
        tracking: the store.
        tags: of the parent, which has not been found in the experiment that the config names.

    Raises:
        TrackingError: the run, or its experiment, was deleted.
    """
    from mlflow.entities import ViewType

    experiments = {str(experiment.experiment_id): experiment for experiment in _all_experiments(client)}
    runs = tagged_runs(client, list(experiments), tags, view=ViewType.ALL)
    for run in runs:
        deleted_experiment = experiments[run.info.experiment_id].lifecycle_stage == "deleted"
        if run.info.lifecycle_stage == "active" and not deleted_experiment:
            return run
    if not runs:
        return None
    run = runs[0]
    experiment = experiments[run.info.experiment_id]
    if experiment.lifecycle_stage == "deleted":
        raise deleted(tracking, experiment, f", with the run {run.info.run_id} of this pipeline run")
    raise TrackingError(
        f"the MLflow run {run.info.run_id} of this pipeline run was deleted, so nothing more can be recorded in it; "
        f"bring it back (MLFLOW_TRACKING_URI={tracking.uri} mlflow runs restore --run-id {run.info.run_id}) and "
        "run the step again, or start a new pipeline run"
    )


def deleted(tracking: TrackingConfig, experiment: "Experiment", more: str = "") -> TrackingError:
    """The error for an experiment that was deleted while a run needs it."""
    return TrackingError(
        f"tracking.experiment: {experiment.name!r} was deleted in the MLflow store{more}; choose another name for new "
        f"runs, or bring it back: MLFLOW_TRACKING_URI={tracking.uri} mlflow experiments restore --experiment-id "
        f"{experiment.experiment_id}"
    )


def _all_experiments(client: "MlflowClient") -> "list[Experiment]":
    from mlflow.entities import ViewType

    experiments: list[Experiment] = []
    token: str | None = None
    while True:
        page = client.search_experiments(view_type=ViewType.ALL, max_results=1000, page_token=token)
        experiments.extend(page)
        token = page.token
        if not token:
            return experiments
