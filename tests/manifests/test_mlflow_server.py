"""The MLflow server of the manifests is the MLflow that we use, started as that MLflow understands."""

import re
import runpy
from pathlib import Path

import pytest

MANIFESTS = Path(__file__).parents[2] / "manifests"
RENDERED = ("local", "staging", "production")

WAIT = MANIFESTS / "base" / "mlflow" / "wait_for_schema.py"
NAMES = ("mlflow", "mlflow.plimsoll", "mlflow.plimsoll.svc", "mlflow.plimsoll.svc.cluster.local", "localhost")


def _settings(resources: list) -> dict[str, str]:
    (settings,) = [one for one in resources if one["metadata"]["name"].startswith("mlflow-settings")]
    return settings["data"]


def _server(workloads: list, overlay: str) -> dict:
    (server,) = [one for one in workloads if one.overlay == overlay and one.title == "Deployment plimsoll/mlflow"]
    return server.spec


def _arguments(workloads: list, overlays: dict, overlay: str) -> list[str]:
    settings = _settings(overlays[overlay])
    (container,) = _server(workloads, overlay)["containers"]
    assert container["command"] == ["mlflow", "server"]
    return [re.sub(r"\$\((\w+)\)", lambda name: settings[name[1]], one) for one in container["args"]]


def test_server_and_migration_are_the_version_that_we_pin(workloads, root):
    """Images have the tag of the MLflow in constraints.txt, in the variant with drivers; the Jobs are named by it."""
    (pinned,) = re.findall(r"^mlflow==(\S+)$", (root / "constraints.txt").read_text(), re.MULTILINE)
    images = {box["image"] for one in workloads for box in one.containers if "/mlflow:" in box["image"]}
    assert images == {f"ghcr.io/mlflow/mlflow:v{pinned}-full"}
    jobs = {one.title.rpartition("/")[2] for one in workloads if "migration" in one.title}
    dashed = pinned.replace(".", "-")
    assert jobs == {f"mlflow-migration-{dashed}", f"mlflow-auth-migration-{dashed}"}


@pytest.mark.parametrize("overlay", RENDERED)
def test_allowed_hosts_stand_bare_and_with_any_port(overlays, overlay):
    """Each name is there twice, bare and with :*, those of the Service and localhost among them, and * is not."""
    hosts = _settings(overlays[overlay])["ALLOWED_HOSTS"].split(",")
    bare = [host for host in hosts if ":" not in host]
    assert set(NAMES) <= set(bare)
    assert sorted(hosts) == sorted([*bare, *(f"{host}:*" for host in bare)])
    assert "*" not in bare


@pytest.mark.parametrize("overlay", ["local", "staging", "production"])
def test_mlflow_understands_the_arguments(workloads, overlays, overlay):
    """MLflow's own parser takes the command line, and its own check lets the Service's names in and others not."""
    from mlflow.cli import server
    from mlflow.server.security_utils import is_allowed_host_header

    arguments = _arguments(workloads, overlays, overlay)
    parsed = server.make_context("server", arguments).params
    assert parsed["artifacts_destination"].startswith("s3://plimsoll")
    assert (parsed["host"], parsed["port"], parsed["serve_artifacts"]) == ("0.0.0.0", 5000, True)  # noqa: S104
    assert parsed["app_name"] == ("basic-auth" if overlay == "production" else None)
    hosts = parsed["allowed_hosts"].split(",")
    assert all(is_allowed_host_header(hosts, f"{name}{port}") for name in NAMES for port in ("", ":5000", ":8080"))
    assert not is_allowed_host_header(hosts, "example.org")


def test_no_password_is_an_argument_of_the_server(workloads, overlays):
    """The server takes the database's address from its environment, under the name that MLflow reads."""
    from mlflow.cli import server

    names = {option.envvar for option in server.params}
    for overlay in RENDERED:
        (container,) = _server(workloads, overlay)["containers"]
        (entry,) = [one for one in container["env"] if one["name"] == "MLFLOW_BACKEND_STORE_URI"]
        assert entry["valueFrom"]["secretKeyRef"] == {"name": "mlflow-database", "key": "uri"}
        assert entry["name"] in names
        assert not [one for one in _arguments(workloads, overlays, overlay) if "backend-store" in one]


def test_the_server_is_probed_where_no_login_and_no_host_is_asked(workloads):
    """All three probes ask for /health at the port on which the server listens."""
    for overlay in RENDERED:
        (container,) = _server(workloads, overlay)["containers"]
        probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]
        assert probes == [{"path": "/health", "port": "http"}] * 3
        assert container["ports"] == [{"name": "http", "containerPort": 5000}]


def test_the_budget_leaves_a_replica(overlays):
    """Production has two replicas of which one may be away; the budget never blocks the draining of a node for good."""
    for overlay, resources in overlays.items():
        (budget,) = [one["spec"] for one in resources if one["kind"] == "PodDisruptionBudget"]
        (server,) = [one for one in resources if one["kind"] == "Deployment" and one["metadata"]["name"] == "mlflow"]
        assert budget["maxUnavailable"] == 1
        assert budget["selector"] == server["spec"]["selector"]
        assert server["spec"]["replicas"] == (2 if overlay.startswith("production") else 1)


def test_the_server_waits_for_the_schema(monkeypatch, tmp_path, capsys):
    """The init container ends with 1 before the migration, with 0 after it, and never prints the address."""
    from mlflow.store.db import utils

    address = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", address)
    monkeypatch.setenv("WAIT_SECONDS", "0.2")
    monkeypatch.setenv("PAUSE_SECONDS", "0.1")
    wait = runpy.run_path(str(WAIT))["main"]
    assert wait() == 1
    before = capsys.readouterr().out
    utils._safe_initialize_tables(utils.create_sqlalchemy_engine(address))
    assert wait() == 0
    after = capsys.readouterr().out
    assert "found an empty database" in before
    assert "the database has schema" in after
    assert str(tmp_path) not in before + after


def test_a_database_that_does_not_answer_is_waited_for(monkeypatch):
    """No server at the address is a state like an empty database, named by its error, without the address."""
    module = runpy.run_path(str(WAIT))
    found, expected = module["found_and_expected"]("sqlite:////nowhere/at/all/mlflow.db")
    assert (found, len(expected)) == ("no database (OperationalError)", 12)
