"""A process that has imported everything and forks on request, so that a step starts in a moment instead of in 4 s.

A step that is attacked is never forked: it is started as the product starts it. The server has read nothing and opened
nothing when it forks, so that a forked step begins as a fresh one.
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PRELOADED = (
    "kfp.dsl.executor_main",
    "kfp.local",
    "matplotlib.pyplot",
    "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "peft",
    "torch",
    "transformers",
    "trl",
    "pipelines.cli",
    "pipelines.running.launch",
    "pipelines.running.preflight",
    "pipelines.running.tables",
    "pipelines.safety_gate",
    *(
        f"components.{step}.step"
        for step in (
            "prepare_data",
            "evaluate_safety",
            "finetune_lora",
            "compute_delta",
            "follow_up",
            "check_gate",
            "register_adapter",
            "reject_adapter",
            "publish_report",
        )
    ),
)
_START_S = 120


class Forked:
    """A process that the server forked, with the part of Popen's interface that tests use."""

    def __init__(self, connection: socket.socket) -> None:
        self._answers = connection.makefile("r")
        self._connection = connection
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None

    def wait(self) -> int:
        """The exit code; minus the number of the signal that ended it."""
        if self.returncode is None:
            self.returncode = int(self._answers.readline() or -signal.SIGKILL)
            self._answers.close()
            self._connection.close()
        return self.returncode


def fork(server: str, main: str, argv: Sequence[str], cwd: str, environment: Mapping[str, str], output: str) -> Forked:
    """Forks a process from the server.

    Args:
        server: path of the server's socket.
        main: `command` for the command line, `step` for a task of kfp's.
        argv: arguments of that.
        cwd: its working directory.
        environment: its environment variables.
        output: file or pipe that its output is appended to.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(server)
    request = {"main": main, "argv": list(argv), "cwd": cwd, "environment": dict(environment), "output": output}
    connection.sendall(f"{json.dumps(request)}\n".encode())
    return Forked(connection)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Starts a server, whose socket is `folder/server`, and waits until it has imported everything."""
    address = folder / "server"
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
    }
    environment |= {"GIT_PYTHON_REFRESH": "quiet", "PYTHONPATH": str(Path(__file__).parents[2])}
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.fork_server", str(address)], env=environment, stdout=log, stderr=log
        )
    until = time.monotonic() + _START_S
    while not address.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError((folder / "server.log").read_text())
        time.sleep(0.1)
    return process


def serve(address: str) -> None:
    """Forks a process for every connection, until the server is killed."""
    for name in PRELOADED:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{address}.new")
        door.listen(64)
        Path(f"{address}.new").rename(address)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the attendants
        while True:
            connection, _ = door.accept()
            if os.fork() == 0:
                door.close()
                _attend(connection)
            connection.close()


def _attend(connection: socket.socket) -> None:
    """Forks the process that was asked for, and answers with its id and then with its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request = json.loads(connection.makefile("r").readline())
    output = os.open(request["output"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    pid = os.fork()
    if pid == 0:
        connection.close()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os._exit(_run(request))
    os.close(output)
    with contextlib.suppress(BrokenPipeError):  # whoever asked is gone
        connection.sendall(f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _run(request: dict[str, object]) -> int:
    """The forked process: takes the request's surroundings, and runs its main function."""
    os.setpgid(0, 0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(str(request["cwd"]))
    time.tzset()
    import tempfile

    tempfile.tempdir = None  # is asked for anew, in this environment
    from tests.chaos import faults

    faults.install()
    mains: dict[str, Callable[[list[str]], None]] = {"command": _command, "step": _step}
    try:
        mains[str(request["main"])](list(request["argv"]))
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:  # noqa: BLE001 - as the interpreter would end
        traceback.print_exc()
        code = 1
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def _command(arguments: list[str]) -> None:
    """`plimsoll ARGUMENTS`."""
    sys.argv = ["plimsoll", *arguments]
    from pipelines.cli import main

    main()


def _step(arguments: list[str]) -> None:
    """A task as kfp's subprocess runner starts it: the first argument is the component's source."""
    import tempfile

    from kfp.dsl.executor_main import executor_main

    os.environ["_KFP_RUNTIME"] = "true"
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder) / "ephemeral_component.py"
        module.write_text(arguments[0])
        sys.argv = ["executor_main", "--component_module_path", str(module), *arguments[1:]]
        executor_main()


if __name__ == "__main__":
    serve(sys.argv[1])
