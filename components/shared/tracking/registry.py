"""Registers an adapter in MLflow's model registry: one version per pipeline run, aliases `champion` and `previous`.

Aliases have no history and no compare-and-set, so a tag of each version names the one that it replaced. A repeated call
finds the version of its pipeline run instead of creating another.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components.shared.tracking.retry import MlflowRefusalError, until_deadline
from components.shared.tracking.runs import Tracker
from components.shared.tracking.stage_run import StageRun

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models.model import ModelInfo

CHAMPION = "champion"
PREVIOUS = "previous"
RUN_TAG = "plimsoll.pipeline_run"
REPLACES_TAG = "plimsoll.replaces_version"
ROLLED_BACK_TAG = "plimsoll.rolled_back"
"""Who rolled this version back, when and why. A repeated registration does not make such a version champion again."""
_URI_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
"""mlflow's setters export these to all processes that are started later."""


class LoggedAdapter(NamedTuple):
    """The adapter of a registered version and what MLflow records with it."""

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
    """The version that was registered, and the one that it replaced; `created` is False for a repeated call."""

    version: str
    replaces: str | None
    created: bool


def promote(tracker: Tracker, stage: StageRun, logged: LoggedAdapter) -> Promotion:
    """Registers an adapter as a new version and makes it champion; the earlier champion becomes `previous`.

    Calling it again for the same pipeline run creates no second version and finishes what a killed call left undone. A
    version that was rolled back in the meantime does not become champion again.
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
    """The version that is champion; None without such a model or alias."""
    try:
        return str(client.get_model_version_by_alias(model_name, CHAMPION).version)
    except MlflowRefusalError as refusal:
        if refusal.code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _version_of_run(client: "MlflowClient", model_name: str, pipeline_run: str) -> str | None:
    versions = client.search_model_versions(f"name = '{model_name}'")
    return next((str(version.version) for version in versions if version.tags.get(RUN_TAG) == pipeline_run), None)


def _create_version(tracker: Tracker, stage: StageRun, logged: LoggedAdapter) -> str:
    client, pipeline_run, uri = tracker.client, tracker.context.pipeline_run, tracker.context.tracking.uri
    with _default_store(uri):
        model = until_deadline(lambda: _log_model(stage, logged), uri)
        try:
            client.create_registered_model(logged.model_name)
        except MlflowRefusalError as refusal:
            if refusal.code != "RESOURCE_ALREADY_EXISTS":
                raise
        tags = {**logged.tags, RUN_TAG: pipeline_run}
        if (champion := champion_version(client, logged.model_name)) is not None:
            tags[REPLACES_TAG] = champion

        def version() -> str:
            """Found if an earlier try created it although its answer was lost."""
            return _version_of_run(client, logged.model_name, pipeline_run) or str(
                client.create_model_version(
                    logged.model_name,
                    source=model.model_uri,
                    run_id=stage.run_id,
                    tags=tags,
                    description=logged.description,
                    model_id=model.model_id,
                ).version
            )

        return until_deadline(version, uri)


def _log_model(stage: StageRun, logged: LoggedAdapter) -> "ModelInfo":
    """Logs the adapter as a model to the stage's run; a repeated call leaves an unused logged model there."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    prompt, answer = Schema([ColSpec(DataType.string)]), Schema([ColSpec(DataType.string)])
    params = [ParamSpec("max_new_tokens", DataType.long, 256), ParamSpec("temperature", DataType.double, 0.0)]
    with mlflow.start_run(run_id=stage.run_id, nested=True):
        model: ModelInfo = mlflow.pyfunc.log_model(
            name="adapter",
            python_model=str(logged.model_file),
            artifacts={"adapter": str(logged.adapter)},
            model_config=dict(logged.model_config),
            metadata=dict(logged.metadata),
            pip_requirements=list(logged.requirements),
            signature=ModelSignature(prompt, answer, ParamSchema(params)),
        )
    return model


@contextmanager
def _default_store(uri: str) -> Iterator[None]:
    """Makes a store the one that mlflow's fluent functions use, and restores their global state."""
    import mlflow

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    environment = {name: os.environ.get(name) for name in _URI_VARIABLES}
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])
        for name, value in environment.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
