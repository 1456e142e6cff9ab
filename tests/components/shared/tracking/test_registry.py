"""The model registry, on a real sqlite store."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from components.shared.config.run_context import RunContext
from components.shared.tracking.registry import (
    CHAMPION,
    PREVIOUS,
    LoggedAdapter,
    Promotion,
    champion_version,
    promote,
)
from components.shared.tracking.runs import Tracker

MODEL = "toy-adapter"


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def logged(tmp_path: Path, build) -> LoggedAdapter:
    build.adapter_files(tmp_path / "adapter")
    model_file = tmp_path / "served.py"
    model_file.write_text(
        "import mlflow\n"
        "class Served(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n"
        "        return ['yes']\n"
        "mlflow.models.set_model(Served())\n"
    )
    return LoggedAdapter(
        model_name=MODEL,
        adapter=tmp_path / "adapter",
        model_file=model_file,
        model_config={"base_digest": "sha256:ba5e"},
        metadata={"base_model": "toy"},
        requirements=["mlflow"],
        tags={"plimsoll.decision": "promote"},
        description="PROMOTED: all",
    )


def run_promotion(context: RunContext, logged: LoggedAdapter) -> Promotion:
    tracker = Tracker(context)
    with tracker.stage("register_adapter") as stage:
        return promote(tracker, stage, logged)


def alias(client: MlflowClient, name: str) -> str:
    return str(client.get_model_version_by_alias(MODEL, name).version)


def test_the_first_version_is_champion(context: RunContext, logged: LoggedAdapter):
    """A new model's first version is champion, replaces nothing, and carries tags and description."""
    client = Tracker(context).client
    assert champion_version(client, MODEL) is None
    assert run_promotion(context, logged) == Promotion("1", None, True)
    version = client.get_model_version(MODEL, "1")
    assert alias(client, CHAMPION) == "1"
    assert (version.tags["plimsoll.decision"], version.tags["plimsoll.pipeline_run"]) == ("promote", "run-1")
    assert version.description == "PROMOTED: all"


def test_promotion_is_rolled_forward_and_idempotent(context: RunContext, logged: LoggedAdapter):
    """The second run's version replaces the first; repeating either call makes no version and moves no alias back."""
    client = Tracker(context).client
    second = context._replace(pipeline_run="run-2")
    run_promotion(context, logged)
    assert run_promotion(second, logged) == Promotion("2", "1", True)
    assert (alias(client, CHAMPION), alias(client, PREVIOUS)) == ("2", "1")
    assert run_promotion(second, logged) == Promotion("2", "1", False)
    assert run_promotion(context, logged) == Promotion("1", None, False)
    assert (alias(client, CHAMPION), alias(client, PREVIOUS)) == ("2", "1")
    assert len(client.search_model_versions(f"name = '{MODEL}'")) == 2


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


@pytest.mark.parametrize("dies_at", [PREVIOUS, CHAMPION])
def test_what_a_killed_call_left_is_finished(context: RunContext, logged: LoggedAdapter, dies_at: str):
    """A version whose aliases were not set gets them on the next call, and stays the only one of its run."""
    run_promotion(context, logged)
    second = context._replace(pipeline_run="run-2")
    tracker = Tracker(second)
    client = tracker.client
    tracker.client = DyingClient(client, dies_at)  # type: ignore[assignment]
    with pytest.raises(Killed), tracker.stage("register_adapter") as stage:
        promote(tracker, stage, logged)
    assert alias(client, CHAMPION) == "1"

    assert run_promotion(second, logged) == Promotion("2", "1", False)
    assert (alias(client, CHAMPION), alias(client, PREVIOUS)) == ("2", "1")
    assert len(client.search_model_versions(f"name = '{MODEL}'")) == 2


def test_global_settings_of_mlflow_are_put_back(context: RunContext, logged: LoggedAdapter):
    """Registering leaves no active run and no other store behind."""
    import mlflow

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    run_promotion(context, logged)
    assert mlflow.active_run() is None
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == before
