"""The model registry, on a real sqlite store."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from components.shared.artifacts.decision import Standing
from components.shared.config.run_context import RunContext
from components.shared.errors import TrackingError
from components.shared.tracking.registry import (
    CHAMPION,
    PREVIOUS,
    ROLLED_BACK_TAG,
    AdapterVersion,
    LoggedAdapter,
    champion_version,
    ensure_version,
    follow,
)
from components.shared.tracking.retry import MlflowRefusalError
from components.shared.tracking.runs import Tracker

MODEL = "toy-adapter"


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def logged(tmp_path: Path, build) -> Callable[..., LoggedAdapter]:
    """An adapter by its weights, with the tags that a version gets, some exchanged."""
    model_file = tmp_path / "served.py"
    model_file.write_text(
        "import mlflow\n"
        "class Served(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n"
        "        return ['yes']\n"
        "mlflow.models.set_model(Served())\n"
    )

    def make(weights: bytes = b"weights", **tags: str) -> LoggedAdapter:
        folder = tmp_path / weights.decode() / "adapter"
        digests = {"adapter": build.adapter_files(folder, weights), "base": "b", "policy": "p", "contract": "c"}
        named = {f"plimsoll.{name}_digest": digest for name, digest in {**digests, **tags}.items()}
        return LoggedAdapter(
            model_name=MODEL,
            adapter=folder,
            model_file=model_file,
            model_config={"base_digest": "sha256:ba5e"},
            metadata={"base_model": "toy"},
            requirements=["mlflow"],
            tags={"plimsoll.decision": "promote", **named},
            description="PROMOTED: all",
        )

    return make


def ensure(context: RunContext, logged: LoggedAdapter) -> AdapterVersion:
    tracker = Tracker(context)
    with tracker.stage("register_adapter") as stage:
        return ensure_version(tracker, stage, logged)


def says(champion: str | None, previous: str | None = None, known: str = "123") -> Callable[[], Standing]:
    return lambda: Standing(champion, previous, frozenset(known))


def aliases(client: MlflowClient) -> dict[str, str]:
    return {name: str(version) for name, version in client.get_registered_model(MODEL).aliases.items()}


def test_the_first_version_has_tags_and_no_alias(context: RunContext, logged):
    """A new model's first version replaces nothing, and carries tags and description; aliases come last."""
    client = Tracker(context).client
    assert champion_version(client, MODEL) is None
    assert ensure(context, logged()) == AdapterVersion("1", None, True, "run-1")
    version = client.get_model_version(MODEL, "1")
    assert aliases(client) == {}
    assert (version.tags["plimsoll.decision"], version.tags["plimsoll.pipeline_run"]) == ("promote", "run-1")
    assert version.description == "PROMOTED: all"


def test_the_stage_goes_on(context: RunContext, logged):
    """Logging a model closes no stage: one that is killed afterwards must not look finished."""
    tracker = Tracker(context)
    with tracker.stage("register_adapter") as stage:
        ensure_version(tracker, stage, logged())
        assert tracker.client.get_run(stage.run_id).info.status == "RUNNING"
    assert tracker.client.get_run(stage.run_id).info.status == "FINISHED"


def test_a_run_has_one_version(context: RunContext, logged):
    """A repeated call finds it, also behind later ones, and says what it replaced."""
    client, second = Tracker(context).client, context._replace(pipeline_run="run-2")
    ensure(context, logged(b"a"))
    follow(client, MODEL, says("1"))
    assert ensure(second, logged(b"b")) == AdapterVersion("2", "1", True, "run-2")
    follow(client, MODEL, says("2", "1"))
    assert ensure(second, logged(b"b")) == AdapterVersion("2", "1", False, "run-2")
    assert ensure(context, logged(b"a")) == AdapterVersion("1", None, False, "run-1")
    assert aliases(client) == {CHAMPION: "2", PREVIOUS: "1"}


def test_the_same_adapter_under_the_same_rules_is_one_version(context: RunContext, logged):
    """Another run takes the version that a run left, champion or not."""
    client, second = Tracker(context).client, context._replace(pipeline_run="run-2")
    ensure(context, logged())
    taken = AdapterVersion("1", None, False, "run-1")
    assert ensure(second, logged()) == taken
    follow(client, MODEL, says("1"))
    assert ensure(second, logged()) == taken


@pytest.mark.parametrize("case", ["other rules", "below the champion", "rolled back", "other files"])
def test_what_is_not_the_same_gets_a_version(context: RunContext, logged, case: str, tmp_path: Path):
    """Rules, place and files count; one version more, which replaces the champion or what that one replaced."""
    client, again = Tracker(context).client, context._replace(pipeline_run="run-9")
    ensure(context, logged())
    follow(client, MODEL, says("1"))
    changes = {"policy": "other"} if case == "other rules" else {}
    replaces = None
    if case == "below the champion":
        ensure(context._replace(pipeline_run="run-2"), logged(b"other"))
        follow(client, MODEL, says("2", "1"))
        replaces = "2"
    elif case == "rolled back":
        client.set_model_version_tag(MODEL, "1", ROLLED_BACK_TAG, "It helps with harm.")
    elif case == "other files":
        (weights,) = tmp_path.glob("**/models/*/artifacts/artifacts/adapter/adapter_model.safetensors")
        weights.write_bytes(b"others")
    version = ensure(again, logged(**changes))
    assert (version.created, version.replaces, version.pipeline_run) == (True, replaces, "run-9")


class DyingClient:
    """An MLflow client whose process dies when it is about to set an alias."""

    def __init__(self, client: MlflowClient, dies_at: str) -> None:
        self._client = client
        self._dies_at = dies_at

    def __getattr__(self, name: str):
        return getattr(self._client, name)

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        if alias == self._dies_at:
            raise Killed
        self._client.set_registered_model_alias(name, alias, version)


@pytest.fixture
def three(context: RunContext, logged) -> MlflowClient:
    """Three versions, the first one champion."""
    for number in (1, 2, 3):
        ensure(context._replace(pipeline_run=f"run-{number}"), logged(str(number).encode()))
    client = Tracker(context).client
    follow(client, MODEL, says("1"))
    return client


@pytest.mark.parametrize("dies_at", [PREVIOUS, CHAMPION])
def test_what_a_killed_call_left_is_finished(three: MlflowClient, dies_at: str):
    """At no moment does the champion miss; the next call sets what is missing."""
    with pytest.raises(Killed):
        follow(DyingClient(three, dies_at), MODEL, says("2", "1"))  # type: ignore[arg-type]
    assert aliases(three)[CHAMPION] == "1"
    follow(three, MODEL, says("2", "1"))
    assert aliases(three) == {CHAMPION: "2", PREVIOUS: "1"}


def test_aliases_follow_a_log_that_grows(three: MlflowClient):
    """An entry that came between reading and setting is not lost; a log that never rests is an error."""
    states = iter([says("2", "1")(), says("3", "2")(), says("3", "2")()])
    assert follow(three, MODEL, lambda: next(states)).champion == "3"
    assert aliases(three) == {CHAMPION: "3", PREVIOUS: "2"}
    endless = iter(range(10_000))
    with pytest.raises(TrackingError, match="the audit log grew 50 times while its aliases were set"):
        follow(three, MODEL, lambda: Standing("3", "2", frozenset({str(next(endless))})))


def test_an_alias_that_two_create_at_once_is_tried_again(three: MlflowClient, monkeypatch: pytest.MonkeyPatch):
    """MLflow's row of the alias is unique: it refuses the second of two inserts. A refusal that stays is an error."""
    refusals = [MlflowRefusalError("UNIQUE constraint failed"), MlflowRefusalError("UNIQUE constraint failed")]

    def set_alias(*arguments: str) -> None:
        if refusals:
            raise refusals.pop()
        three.set_registered_model_alias(*arguments)

    class Crowded:
        def __getattr__(self, name: str):
            return set_alias if name == "set_registered_model_alias" else getattr(three, name)

    monkeypatch.setattr("components.shared.tracking.registry._PAUSE_S", 0.0)
    follow(Crowded(), MODEL, says("2", "1"))  # type: ignore[arg-type]
    assert aliases(three) == {CHAMPION: "2", PREVIOUS: "1"}
    refusals.extend(MlflowRefusalError("PERMISSION_DENIED") for _ in range(9))
    with pytest.raises(MlflowRefusalError, match="PERMISSION_DENIED"):
        follow(Crowded(), MODEL, says("3", "2"))  # type: ignore[arg-type]


def test_aliases_that_the_log_cannot_explain(three: MlflowClient):
    """A higher champion of another log stays; a deleted version is none; what is previous no more is taken away."""
    three.set_registered_model_alias(MODEL, CHAMPION, "3")
    follow(three, MODEL, says("2", "1", known="12"))
    assert aliases(three) == {CHAMPION: "3"}
    follow(three, MODEL, says("2", "1"))
    assert aliases(three) == {CHAMPION: "2", PREVIOUS: "1"}
    three.delete_model_version(MODEL, "1")
    follow(three, MODEL, says("2", "1"))
    assert aliases(three) == {CHAMPION: "2"}
    three.delete_model_version(MODEL, "3")
    follow(three, MODEL, says("3", "2"))
    assert aliases(three) == {CHAMPION: "2"}


def test_a_version_of_an_older_log_is_previous(context: RunContext, logged):
    """Where a new log was begun, the version's own tag says what it replaced."""
    client = Tracker(context).client
    ensure(context, logged(b"a"))
    follow(client, MODEL, says("1"))
    ensure(context._replace(pipeline_run="run-2"), logged(b"b"))
    follow(client, MODEL, says("2", None, known="2"))
    assert aliases(client) == {CHAMPION: "2", PREVIOUS: "1"}


def test_global_settings_of_mlflow_are_put_back(context: RunContext, logged):
    """Registering leaves no active run and no other store behind."""
    import mlflow

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    ensure(context, logged())
    assert mlflow.active_run() is None
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == before
