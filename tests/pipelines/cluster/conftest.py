"""A Kubeflow Pipelines server that records every request, on the routes and body models of its generated client.

It proves what is sent and how answers are read, not what a real server does with it.
"""

import inspect
import json
import re
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlparse

import kfp_server_api
import pytest

from components.prepare_data.step import prepare_data
from components.shared.config.anchoring import anchor
from components.shared.config.cluster import ClusterConfig
from components.shared.config.run_context import RunContext
from components.shared.generation.base_models import base_digest, locate_base_model, tokenizer_digest
from components.shared.tracking.runs import Tracker
from pipelines.cluster.credentials import find_server
from pipelines.cluster.kfp_client import Client
from pipelines.cluster.package import Package, compile_package
from pipelines.running.launch import load
from tests.support import builders

ROOT = Path(__file__).parents[3]
_ROUTE = re.compile(r"'(/apis/v2beta1/[^']*)', '([A-Z]+)'")
_BODIES = {
    "/apis/v2beta1/runs": kfp_server_api.V2beta1Run,
    "/apis/v2beta1/recurringruns": kfp_server_api.V2beta1RecurringRun,
    "/apis/v2beta1/experiments": kfp_server_api.V2beta1Experiment,
    "/apis/v2beta1/pipelines": kfp_server_api.V2beta1Pipeline,
}
_KINDS = {
    "experiments": ("experiments", "experiment_id"),
    "runs": ("runs", "run_id"),
    "recurringruns": ("recurringRuns", "recurring_run_id"),
    "pipelines": ("pipelines", "pipeline_id"),
    "versions": ("pipeline_versions", "pipeline_version_id"),
}


_FIELDS = re.compile(r"[0-9A-Za-z*?,/-]+( [0-9A-Za-z*?,/-]+){4,5}")
"""What robfig/cron 1.2, the library of the real server, takes: no time zone in front."""


def _cron(body: Any) -> str:
    """The expression of a recurring run, which the server's library (robfig/cron 1.2) splits into fields."""
    return str(body["trigger"]["cron_schedule"]["cron"])


def _routes() -> list[tuple[str, re.Pattern[str]]]:
    """Every route that the generated client knows, as method and pattern."""
    services = [service for name, service in vars(kfp_server_api).items() if name.endswith("ServiceApi")]
    routes = {pair for service in services for pair in _ROUTE.findall(inspect.getsource(service))}
    return [(method, re.compile(re.sub(r"\\{[^}]*\\}", "[^/:]+", re.escape(path)) + "$")) for path, method in routes]


def _well_formed(body: Any, model: type) -> bool:
    """Whether a body has only keys that its model knows, nested models included."""
    known = {key: model.openapi_types[attribute] for attribute, key in model.attribute_map.items()}
    if not isinstance(body, dict) or set(body) - set(known):
        return False
    nested = {key: getattr(kfp_server_api, kind, None) for key, kind in known.items()}
    return all(
        _well_formed(value, nested[key])
        for key, value in body.items()
        if nested[key] is not None and nested[key].openapi_types
    )


class Recorded(NamedTuple):
    """A request, and the status that it got."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    status: int


class Fault(NamedTuple):
    """How the next matching request is answered instead."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    carried_out: bool


class KubeflowServer:
    """The server's state, and what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.faults: list[Fault] = []
        self.things: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}
        self.states: dict[str, list[dict[str, Any]]] = {}
        self.accepted: str | None = None
        self.routes = _routes()
        self.host = ""

    def fail(
        self, method: str, path: str, status: int, times: int = 1, carried_out: bool = False, **headers: str
    ) -> None:
        """Lets the next requests of a kind fail; `carried_out`: only their answer is lost."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults += [Fault(method, path, status, named, carried_out)] * times

    def sent(self, method: str, path: str) -> list[Recorded]:
        """The requests with a method and a path, whatever became of them."""
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    def answer(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Any
    ) -> tuple[int, Any, dict]:
        if self.accepted is not None and headers.get("authorization") != f"Bearer {self.accepted}":
            return 401, {"error": "token expired"}, {}
        if not any(verb == method and pattern.match(path) for verb, pattern in self.routes):
            return 404, {"message": f"no route {method} {path}"}, {}
        model = _BODIES.get(path)
        if method == "POST" and model is not None and not _well_formed(body, model):
            return 400, {"message": "unknown field"}, {}
        if method == "POST" and path.endswith("/recurringruns") and not _FIELDS.fullmatch(_cron(body)):
            return 400, {"message": f"Expected 5 to 6 fields, found {len(_cron(body).split())}"}, {}
        fault = next((each for each in self.faults if each.method == method and path.startswith(each.path)), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault.carried_out:
                self._do(method, path, query, body)
            return fault.status, {"message": "not now"}, fault.headers
        return *self._do(method, path, query, body), {}

    def _do(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        parts = path.removeprefix("/apis/v2beta1/").split("/")
        if parts == ["pipelines", "upload_version"]:
            return 200, self._add(
                "versions", {"display_name": query["display_name"], "pipeline_id": query["pipelineid"]}
            )
        kind = parts[2] if len(parts) > 2 else parts[0]
        if len(parts) in (1, 3) and method == "POST":
            return 200, self._add(kind, body)
        if len(parts) in (1, 3):
            return 200, self._list(kind, query)
        identity, _, verb = parts[-1].partition(":")
        thing = next((each for each in self.things[kind] if each[_KINDS[kind][1]] == identity), None)
        if thing is None:
            return 404, {"message": f"no {kind} {identity}"}
        if method == "DELETE":
            self.things[kind].remove(thing)
        if verb:
            thing["mode"] = verb.upper()
        if kind == "runs" and method == "GET" and self.states.get(identity):
            thing.update(self.states[identity].pop(0))
        return 200, thing if method == "GET" else {}

    def _add(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        made = {**body, _KINDS[kind][1]: str(uuid.uuid4()), "created_at": datetime.now(UTC).isoformat()}
        self.things[kind].insert(0, made)
        return made

    def _list(self, kind: str, query: dict[str, str]) -> dict[str, Any]:
        things = self.things[kind]
        for predicate in json.loads(query.get("filter", '{"predicates": []}'))["predicates"]:
            things = [thing for thing in things if thing.get(predicate["key"]) == predicate["stringValue"]]
        if "experiment_id" in query:
            things = [thing for thing in things if thing.get("experiment_id") == query["experiment_id"]]
        start, size = int(query.get("page_token") or 0), int(query.get("page_size") or 10)
        more = start + size < len(things)
        return {_KINDS[kind][0]: things[start : start + size], "next_page_token": str(start + size) if more else ""}


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def _handle(self) -> None:
        state: KubeflowServer = self.server.state
        address = urlparse(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw and "json" in self.headers.get("Content-Type", "") else raw
        headers = {key.lower(): value for key, value in self.headers.items()}
        status, answer, extra = state.answer(self.command, address.path, query, headers, body)
        state.requests.append(Recorded(self.command, address.path, query, headers, body, status))
        content = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **extra}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815 - names that the base class calls

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


@pytest.fixture
def kubeflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeflowServer]:
    """A recording server; the environment names no other and no credentials."""
    for name in ("KF_PIPELINES_ENDPOINT", "KUBERNETES_SERVICE_HOST", "KF_PIPELINES_SA_TOKEN_PATH", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("TOKEN", "TOKEN_FILE", "COOKIE"):
        monkeypatch.delenv(f"PLIMSOLL_KFP_{name}", raising=False)
    state = KubeflowServer()
    web = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    web.state = state  # type: ignore[attr-defined]
    state.host = f"http://127.0.0.1:{web.server_port}"
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield state
    web.shutdown()
    web.server_close()


@pytest.fixture
def waits() -> list[float]:
    """How long the client waited between attempts; nobody really waits."""
    return []


@pytest.fixture
def connect(kubeflow, waits):
    """Makes a client of the recording server."""

    def make(**credentials: Any) -> Client:
        return Client(find_server(ClusterConfig(), kubeflow.host, **credentials), sleep=waits.append)

    return make


@pytest.fixture(scope="session")
def package() -> Package:
    """The careful demo, compiled."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(ROOT)
        return compile_package(load("configs/pipelines/demo-careful.yaml"))


@pytest.fixture
def decide(tracked_project, tmp_path_factory):
    """Makes a decided run of the small project: its data and prompts by the real step, the rest written down.

    Returns the run's tracker; what the config says when it is called is what the run was decided on.
    """

    def make(
        run: str, decision: str = "promote", day: date = date(2026, 5, 1), recorded: bool = True, champion: bool = False
    ):
        loaded = load("config.yaml")
        config = anchor(loaded.config, tracked_project.folder)
        tracker = Tracker(RunContext(config.tracking, config.name, run))
        folder = tmp_path_factory.mktemp("decided")
        prepare_data(config.data, config.suites, folder / "data", folder / "prompts", tracker.context)
        adapter = builders.adapter_files(folder / "adapter")
        base = locate_base_model(config.base_model)
        manifest = builders.manifest(
            adapter,
            base_name=config.base_model.name,
            base_digest=base_digest(base),
            recipe=config.recipe,
            policy_digest=loaded.policy.digest,
            inputs={"tokenizer": tokenizer_digest(base)},
        )
        parent = tracker.parent()
        parent.file(folder / "data/training_data.json", "evidence")
        parent.file(folder / "prompts/prompt_set.json", "evidence")
        parent.file(manifest.save(folder / "adapter/manifest.json"), "evidence/adapter")
        made = builders.gate_decision(decision, policy_digest=loaded.policy.digest, decided_on=day)
        parent.file(made.save(folder / "gate_decision.json"))
        if recorded:
            parent.text(config.model_dump_json(indent=1), "config.json")
        parent.tags({"plimsoll.decision": decision, "plimsoll.base_digest": base_digest(base)})
        tracker.close("FINISHED")
        if champion:
            client, name = tracker.client, config.registry.model_name
            client.create_registered_model(name)
            version = client.create_model_version(name, "file:///nowhere", tags={"plimsoll.pipeline_run": run})
            client.set_registered_model_alias(name, "champion", version.version)
        return tracker

    return make
