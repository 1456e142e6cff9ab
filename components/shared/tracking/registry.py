"""The MLflow model registry: one version per pipeline run, aliases `champion` and `previous`.

Aliases have no history and no compare-and-set, so what a version replaced is kept in its tags, and a repeated
call finds the version of its pipeline run instead of making another. This module does not know why an adapter
was promoted.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components.shared.tracking.runs import Tracker
from components.shared.tracking.stage_run import StageRun

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
PREVIOUS = "previous"
RUN_TAG = "plimsoll.pipeline_run"
REPLACES_TAG = "plimsoll.replaces_version"
ROLLED_BACK_TAG = "plimsoll.rolled_back"
"""Who left the version for an earlier one, when and why; such a version does not become champion by a repeated call."""
_URI_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
"""mlflow's setters export these, and every process that is started later would inherit them."""


class LoggedAdapter(NamedTuple):
    """What a registered version is made of."""

    model_name: str
    adapter: Path
    """Directory with the adapter's files, nothing else."""
    model_file: Path
    """Python file that MLflow runs to load the model (models from code)."""
    model_config: Mapping[str, object]
    metadata: Mapping[str, object]
    requirements: Sequence[str]
    tags: Mapping[str, str]
    description: str


class Promotion(NamedTuple):
    """The version that is champion now."""

    version: str
    replaces: str | None
    created: bool


def promote(tracker: Tracker, stage: StageRun, logged: LoggedAdapter) -> Promotion:
    """Registers an adapter as a new version and makes it champion; the champion before becomes previous.

    Calling it again for the same pipeline run makes no second version and finishes what a killed call left; it does
    not bring back a version that was rolled back since.
    """
    client = tracker.client
    version = _version_of_run(client, logged.model_name, tracker.context.pipeline_run)
    created = version is None
    if version is None:
        version = _create_version(tracker, stage, logged)
    tags = client.get_model_version(logged.model_name, version).tags
    replaces = tags.get(REPLACES_TAG)
    champion = champion_version(client, logged.model_name)
    if ROLLED_BACK_TAG not in tags and (champion is None or int(champion) < int(version)):
        if replaces is not None:
            client.set_registered_model_alias(logged.model_name, PREVIOUS, replaces)
        client.set_registered_model_alias(logged.model_name, CHAMPION, version)
    return Promotion(version, replaces, created)


def champion_version(client: "MlflowClient", model_name: str) -> str | None:
    """The version that is champion, or None: no such model, or no such alias."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_model_version_by_alias(model_name, CHAMPION).version)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _version_of_run(client: "MlflowClient", model_name: str, pipeline_run: str) -> str | None:
    found = client.search_model_versions(f"name = '{model_name}'")
    own = [version for version in found if version.tags.get(RUN_TAG) == pipeline_run]
    return str(own[0].version) if own else None


def _create_version(tracker: Tracker, stage: StageRun, logged: LoggedAdapter) -> str:
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    client = tracker.client
    prompt_in, answer_out = Schema([ColSpec(DataType.string)]), Schema([ColSpec(DataType.string)])
    params = ParamSchema(
        [
            ParamSpec("max_new_tokens", DataType.long, 256),
            ParamSpec("temperature", DataType.double, 0.0),
        ]
    )
    with _fluent(tracker, stage):
        info = mlflow.pyfunc.log_model(
            name="adapter",
            python_model=str(logged.model_file),
            artifacts={"adapter": str(logged.adapter)},
            model_config=dict(logged.model_config),
            metadata=dict(logged.metadata),
            pip_requirements=list(logged.requirements),
            signature=ModelSignature(prompt_in, answer_out, params),
        )
        try:
            client.create_registered_model(logged.model_name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        tags = {**logged.tags, RUN_TAG: tracker.context.pipeline_run}
        if (champion := champion_version(client, logged.model_name)) is not None:
            tags[REPLACES_TAG] = champion
        version = client.create_model_version(
            logged.model_name,
            source=info.model_uri,
            run_id=stage.run_id,
            tags=tags,
            description=logged.description,
            model_id=info.model_id,
        )
        return str(version.version)


@contextmanager
def _fluent(tracker: Tracker, stage: StageRun) -> Iterator[None]:
    """Lets mlflow's fluent functions log to a stage's run, and puts their global state back."""
    import mlflow

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    environment = {name: os.environ.get(name) for name in _URI_VARIABLES}
    mlflow.set_tracking_uri(tracker.context.tracking.uri)
    mlflow.set_registry_uri(tracker.context.tracking.uri)
    try:
        with mlflow.start_run(run_id=stage.run_id, nested=True):
            yield
    finally:
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])
        for name, value in environment.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
