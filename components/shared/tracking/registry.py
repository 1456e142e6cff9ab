"""Registers an adapter in MLflow's model registry: a version per adapter, and aliases `champion` and `previous`.

MLflow's aliases have no history and no compare-and-set, and its versions have no uniqueness. So a version is looked for
before one is created: that of this pipeline run, or one that another run registered, or was about to register, with the
same adapter under the same rules. And the aliases follow what a log says, again if the log has grown meanwhile, so that
of two promotions at once the later version stays champion.
"""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from components.shared.artifacts.decision import Standing
from components.shared.config.sections import TrackingConfig
from components.shared.errors import IntegrityError, TrackingError
from components.shared.generation.adapters import adapter_digest
from components.shared.tracking.retry import MlflowRefusalError, until_deadline
from components.shared.tracking.runs import Tracker, open_client
from components.shared.tracking.stage_run import StageRun

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models.model import ModelInfo

CHAMPION = "champion"
PREVIOUS = "previous"
RUN_TAG = "plimsoll.pipeline_run"
REPLACES_TAG = "plimsoll.replaces_version"
ROLLED_BACK_TAG = "plimsoll.rolled_back"
"""Who rolled this version back, when and why. A repeated registration does not make such a version champion again."""
ADAPTER_TAG = "plimsoll.adapter_digest"
_SAME_TAGS = (ADAPTER_TAG, "plimsoll.base_digest", "plimsoll.policy_digest", "plimsoll.contract_digest")
"""Tags by which a version is the same adapter on the same base under the same rules."""
_URI_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
"""mlflow's setters export these to all processes that are started later."""
_FOLLOWS = 50
_REFUSALS, _PAUSE_S = 5, 0.5


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


class AdapterVersion(NamedTuple):
    """A version of a registered model.

    Attributes:
        version: its number.
        replaces: the champion of its time, of another adapter; None if there was none.
        created: False if it was there already.
        pipeline_run: the run that created it.
    """

    version: str
    replaces: str | None
    created: bool
    pipeline_run: str


def ensure_version(tracker: Tracker, stage: StageRun, logged: LoggedAdapter) -> AdapterVersion:
    """The version of an adapter, created if there is none; no alias is moved.

    Calling it again for the same pipeline run creates no second version. A version of another run is taken if it has
    the same adapter, base, policy and contract, no higher one is champion, and its files have the adapter's digest.

    Raises:
        TrackingError: MLflow does not answer or refuses the registration.
    """
    client, pipeline_run = tracker.client, tracker.context.pipeline_run
    found = _version_of_run(client, logged.model_name, pipeline_run) or _same_version(tracker, logged)
    version = found or _create_version(tracker, stage, logged)
    tags = client.get_model_version(logged.model_name, version).tags
    return AdapterVersion(version, tags.get(REPLACES_TAG), found is None, str(tags.get(RUN_TAG, "")))


def follow(client: "MlflowClient", model_name: str, standing: Callable[[], Standing]) -> Standing:
    """Makes the aliases say what the log says, until the log has not grown meanwhile; returns what it says.

    A run with another log may have made a higher version champion. If this log has no entry of that version, the
    version stays champion.

    Args:
        client: of the store.
        model_name: the registered model.
        standing: reads the log.

    Raises:
        TrackingError: MLflow does not answer, or the log grew faster than the aliases could follow.
    """
    wanted, refused = standing(), 0
    for _ in range(_FOLLOWS):
        try:
            _point(client, model_name, wanted)
        except MlflowRefusalError:  # two that create one alias at once: MLflow refuses the second
            refused += 1
            if refused == _REFUSALS:
                raise
            time.sleep(random.uniform(0, _PAUSE_S))
            continue
        if (now := standing()) == wanted:
            return wanted
        wanted = now
    raise TrackingError(
        f"registered model {model_name!r}: the audit log grew {_FOLLOWS} times while its aliases were set; run the "
        "step again"
    )


def _point(client: "MlflowClient", model_name: str, wanted: Standing) -> None:
    """Sets both aliases; a version that somebody deleted is none."""
    tags = {str(version.version): version.tags for version in versions_of(client, model_name)}
    if wanted.champion is None or wanted.champion not in tags:
        return
    aliases = {name: str(version) for name, version in client.get_registered_model(model_name).aliases.items()}
    champion = aliases.get(CHAMPION)
    if champion is not None and champion not in wanted.known and int(champion) > int(wanted.champion):
        return
    replaced = tags[wanted.champion].get(REPLACES_TAG)
    previous = wanted.previous or (replaced if replaced not in wanted.known else None)
    previous = previous if previous in tags else None
    if previous is not None and aliases.get(PREVIOUS) != previous:
        client.set_registered_model_alias(model_name, PREVIOUS, previous)
    if champion != wanted.champion:
        client.set_registered_model_alias(model_name, CHAMPION, wanted.champion)
    if previous is None and PREVIOUS in aliases:
        client.delete_registered_model_alias(model_name, PREVIOUS)


def champion_version(client: "MlflowClient", model_name: str) -> str | None:
    """The version that is champion; None without such a model or alias."""
    try:
        return str(client.get_model_version_by_alias(model_name, CHAMPION).version)
    except MlflowRefusalError as refusal:
        if refusal.code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


class RegisteredState(NamedTuple):
    """A registered model as MLflow has it.

    Attributes:
        versions: the pipeline run of each version, by number, the newest first; empty for a version without one.
        aliases: the version of each alias, by its name.
    """

    versions: dict[str, str]
    aliases: dict[str, str]


def registered_state(tracking: TrackingConfig, model_name: str) -> RegisteredState:
    """A registered model as MLflow has it; nothing where there is no such store or model, and none is created.

    Raises:
        TrackingError: the store cannot be opened.
    """
    if (database := tracking.sqlite_file) is not None and not database.is_file():
        return RegisteredState({}, {})
    client = open_client(tracking, deadline_s=0)
    versions = {str(version.version): str(version.tags.get(RUN_TAG, "")) for version in versions_of(client, model_name)}
    if not versions:
        return RegisteredState({}, {})
    aliases = client.get_registered_model(model_name).aliases
    return RegisteredState(versions, {name: str(version) for name, version in aliases.items()})


def versions_of(client: "MlflowClient", model_name: str) -> "list[ModelVersion]":
    """All versions of a registered model, the newest first."""
    versions = client.search_model_versions(f"name = '{model_name}'")
    return sorted(versions, key=lambda version: int(version.version), reverse=True)


def same_adapter(tags: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two versions, by their tags, hold the same adapter; a version that does not say it holds another one."""
    adapter = tags.get(ADAPTER_TAG)
    return adapter is not None and adapter == other.get(ADAPTER_TAG)


def _version_of_run(client: "MlflowClient", model_name: str, pipeline_run: str) -> str | None:
    versions = versions_of(client, model_name)
    return next((str(version.version) for version in versions if version.tags.get(RUN_TAG) == pipeline_run), None)


def _same_version(tracker: Tracker, logged: LoggedAdapter) -> str | None:
    """The newest version with the same adapter, base, policy and contract, if no higher one is champion."""
    if not all(name in logged.tags for name in _SAME_TAGS):
        return None
    champion = int(champion_version(tracker.client, logged.model_name) or 0)
    for version in versions_of(tracker.client, logged.model_name):
        if int(version.version) < champion:
            break
        equal = all(version.tags.get(name) == logged.tags[name] for name in _SAME_TAGS)
        if equal and RUN_TAG in version.tags and ROLLED_BACK_TAG not in version.tags:
            return str(version.version) if _holds(tracker, logged, str(version.version)) else None
    return None


def _holds(tracker: Tracker, logged: LoggedAdapter, version: str) -> bool:
    """Whether a version's files are the adapter's; a tag may say so of others."""
    with TemporaryDirectory() as directory:
        try:
            folder = fetch_version(tracker.context.tracking.uri, logged.model_name, version, Path(directory))
            return adapter_digest(folder) == logged.tags[ADAPTER_TAG]
        except (TrackingError, IntegrityError):
            return False


def fetch_version(uri: str, model_name: str, version: str, target: Path) -> Path:
    """Downloads the adapter of a version below `target`; returns its folder.

    Raises:
        TrackingError: it cannot be downloaded.
    """
    import mlflow

    def download() -> str:
        with default_store(uri):  # mlflow 3.17 looks for a logged model in its default store, whatever it is told
            address = f"models:/{model_name}/{version}/artifacts/adapter"
            return str(mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=str(target)))

    return Path(until_deadline(download, uri))


def _replaced(client: "MlflowClient", logged: LoggedAdapter) -> str | None:
    """The champion, or the version before it if the champion is this very adapter, to which no way leads back."""
    seen: set[str] = set()
    version = champion_version(client, logged.model_name)
    while version is not None and version not in seen:
        seen.add(version)
        tags = client.get_model_version(logged.model_name, version).tags
        if not same_adapter(tags, logged.tags):
            return version
        version = tags.get(REPLACES_TAG)
    return None


def _create_version(tracker: Tracker, stage: StageRun, logged: LoggedAdapter) -> str:
    client, pipeline_run, uri = tracker.client, tracker.context.pipeline_run, tracker.context.tracking.uri
    with default_store(uri):
        model = until_deadline(lambda: _log_model(stage, logged), uri)
        client.update_run(stage.run_id, "RUNNING")  # mlflow's context has closed it, and the stage goes on
        try:
            client.create_registered_model(logged.model_name)
        except MlflowRefusalError as refusal:
            if refusal.code != "RESOURCE_ALREADY_EXISTS":
                raise
        tags = {**logged.tags, RUN_TAG: pipeline_run}
        if (replaced := _replaced(client, logged)) is not None:
            tags[REPLACES_TAG] = replaced

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
def default_store(uri: str) -> Iterator[None]:
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
