"""Rolls a registered model back to an earlier version by moving the alias `champion`.

The version that is left gets a tag, so that another run with the same adapter makes a new version. The aliases follow
the audit log, in which the rollback stands first: of two rollbacks at once, the later entry stands.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from components.shared.artifacts.decision import Standing
from components.shared.config.sections import TrackingConfig
from components.shared.errors import ConfigError
from components.shared.tracking.registry import (
    PREVIOUS,
    REPLACES_TAG,
    ROLLED_BACK_TAG,
    RUN_TAG,
    champion_version,
    follow,
    same_adapter,
    versions_of,
)
from components.shared.tracking.runs import open_client

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


class Rollback(NamedTuple):
    """The plan of a rollback: from version `left` to version `champion`."""

    model_name: str
    left: str
    champion: str
    previous: str | None
    """The version that a further rollback would go to; None if there is none."""
    pipeline: str
    """Pipeline of the version that is left."""
    pipeline_run: str


def plan_rollback(tracking: TrackingConfig, model_name: str, to: str | None = None) -> Rollback:
    """The plan of a rollback; nothing is changed.

    Args:
        tracking: the store.
        model_name: the registered model.
        to: the version to go to; None: the one with alias `previous`.

    Raises:
        ConfigError: no such model or version, or there is nothing to go back to.
        TrackingError: the store cannot be opened.
    """
    client = open_client(tracking)
    versions = {str(version.version): version for version in versions_of(client, _name(model_name))}
    champion = champion_version(client, model_name)
    if champion is None:
        raise ConfigError(f"registered model {model_name!r} has no champion in {tracking.uri}: nothing to roll back")
    target = to or _previous(client, model_name, champion, versions)
    listed = ", ".join(sorted(versions, key=int))
    if target is None:
        raise ConfigError(
            f"{model_name}: version {champion} is champion and none is {PREVIOUS!r}: there is nothing to go back to; "
            f"--to names one of its versions ({listed})"
        )
    if target not in versions:
        raise ConfigError(f"{model_name}: there is no version {target!r}; its versions are {listed}")
    if target == champion:
        raise ConfigError(f"{model_name}: version {target} is champion already; its versions are {listed}")
    left = versions[champion]
    return Rollback(
        model_name=model_name,
        left=champion,
        champion=target,
        previous=champion if int(target) > int(champion) else _before(target, versions),
        pipeline=left.tags.get("plimsoll.mlflow_pipeline", ""),
        pipeline_run=left.tags.get(RUN_TAG, ""),
    )


def roll_back(tracking: TrackingConfig, plan: Rollback, who: str, why: str, standing: Callable[[], Standing]) -> None:
    """Carries out a plan that is in the audit log.

    Args:
        tracking: the store.
        plan: from `plan_rollback`.
        who: the person.
        why: a sentence.
        standing: reads the log.
    """
    client = open_client(tracking)
    if int(plan.champion) < int(plan.left):
        note = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} by {who}: {why}"
        client.set_model_version_tag(plan.model_name, plan.left, ROLLED_BACK_TAG, note)
    if ROLLED_BACK_TAG in client.get_model_version(plan.model_name, plan.champion).tags:
        client.delete_model_version_tag(plan.model_name, plan.champion, ROLLED_BACK_TAG)
    follow(client, plan.model_name, standing)


def _before(version: str, versions: "dict[str, ModelVersion]") -> str | None:
    """The nearest earlier version of another adapter that was not itself rolled back, by the tags; None without one."""
    earlier = versions[version].tags.get(REPLACES_TAG)
    seen = {version}
    while earlier in versions and earlier not in seen:
        tags = versions[earlier].tags
        if ROLLED_BACK_TAG not in tags and not same_adapter(tags, versions[version].tags):
            return earlier
        seen.add(earlier)
        earlier = tags.get(REPLACES_TAG)
    return None


def _previous(
    client: "MlflowClient", model_name: str, champion: str, versions: "dict[str, ModelVersion]"
) -> str | None:
    """The version with alias `previous`; if it is the champion's own adapter, the one before it."""
    aliases = client.get_registered_model(model_name).aliases
    previous = str(aliases[PREVIOUS]) if PREVIOUS in aliases else None
    if previous in versions and same_adapter(versions[previous].tags, versions[champion].tags):
        return _before(champion, versions)
    return previous


def _name(model_name: str) -> str:
    if "'" in model_name or not model_name.strip():
        raise ConfigError(f"registered model {model_name!r}: expected a name without quotes")
    return model_name
