"""MLflow's own server, and a proxy in front of it that fails on demand."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

SERVE = """
import sys
from mlflow.server import app
from werkzeug.serving import run_simple
run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True)
"""
UNAVAILABLE = b"<html><head><title>503 Service Temporarily Unavailable</title></head></html>"
"""As nginx words it while no server stands behind it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def mlflow_port(tmp_path_factory: pytest.TempPathFactory, empty_mlflow_database: Path) -> Iterator[int]:
    """The port of an MLflow server with a sqlite file, which also stores artifacts."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    shutil.copyfile(empty_mlflow_database, folder / "mlflow.db")
    environment = {
        **os.environ,
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/mlflow.db",  # as `mlflow server` sets for its workers
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    }
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port)], env=environment, stderr=subprocess.DEVNULL
    ) as server:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
        server.terminate()


class FailingProxy:
    """Passes requests on to a server, except those that `faults` names.

    Attributes:
        uri: its address.
        faults: by a part of a request's path, what happens to the next such requests. A number is the status of the
            answer; `reset` closes the connection without an answer, `lost` does so after the server has done its work.
        requests: method and path of every request.
    """

    def __init__(self, port: int) -> None:
        self.faults: dict[str, list[int | str]] = {}
        self.requests: list[str] = []
        self._behind, self._port = port, free_port()
        self.uri = f"http://127.0.0.1:{self._port}"
        self._server: ThreadingHTTPServer | None = None
        self.start()

    def start(self) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                proxy.requests.append(f"{self.command} {self.path.partition('?')[0]}")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                faults = next((faults for part, faults in proxy.faults.items() if faults and part in self.path), [])
                fault = faults.pop(0) if faults else None
                if fault == "reset":
                    return
                if isinstance(fault, int):
                    self._answer(fault, "text/html", UNAVAILABLE)
                    return
                behind = http.client.HTTPConnection("127.0.0.1", proxy._behind)
                behind.request(self.command, self.path, body, dict(self.headers))
                answer = behind.getresponse()
                content = answer.read()
                if fault != "lost":
                    self._answer(answer.status, answer.getheader("Content-Type") or "", content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's names

            def _answer(self, status: int, kind: str, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_arguments: object) -> None:
                """Prints nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """From here on connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def proxy(mlflow_port: int) -> Iterator[FailingProxy]:
    proxy = FailingProxy(mlflow_port)
    yield proxy
    proxy.stop()
