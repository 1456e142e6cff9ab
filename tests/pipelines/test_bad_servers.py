"""Servers that are not what they are taken for: one error that names the address and the cure, soon."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

SOON_S = 30.0


class OddServer:
    """Answers every request in one way.

    Attributes:
        address: of the server.
        status: of every answer.
        body: of every answer.
    """

    def __init__(self) -> None:
        self.status, self.body = 200, b""
        odd = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(odd.status)
                self.send_header("Content-Length", str(len(odd.body)))
                self.end_headers()
                self.wfile.write(odd.body)

            do_GET = do_POST = do_DELETE = do_PUT = answer  # noqa: N815 - names of http.server

            def log_message(self, *arguments: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def odd() -> Iterator[OddServer]:
    server = OddServer()
    yield server
    server.server.shutdown()


BODIES = {
    "nothing": (200, b""),
    "a page": (200, b"<html><body>Please log in</body></html>"),
    "null": (200, b"null"),
    "a list": (200, b"[]"),
    "cut": (200, b"{"),
    "no text": (200, b"\xff\xfe"),
    "other fields": (200, json.dumps({"experiments": 5, "experiment": 5, "runs": [5]}).encode()),
    "no content": (204, b""),
    "a redirect": (302, b""),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_server_that_is_no_mlflow_is_named(call, project, odd: OddServer, case: str):
    """A login page, a proxy or another service under the address of MLflow."""
    odd.status, odd.body = BODIES[case]
    began = time.monotonic()
    found = call("config", "check", "config.yaml", "--set", f"tracking.uri={odd.address}")
    assert found.code in (1, 2), found.out
    assert "Traceback" not in found.err
    assert found.err.count("error: ") == 1
    assert odd.address in found.err
    assert "tracking.uri" in found.err
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize("case", BODIES)
def test_a_server_that_is_no_kubeflow_is_named(call, project, odd: OddServer, case: str):
    """Nothing counts as submitted that no server took."""
    odd.status, odd.body = BODIES[case]
    found = call("submit", "config.yaml", "--no-check", "--host", odd.address)
    assert found.code in (1, 2), found.out
    assert "Traceback" not in found.err
    assert found.err.count("error: ") == 1
    assert odd.address in found.err
