"""Faults inside the processes of a run: this module is imported by them, and nothing in the product knows it.

A process reads the environment variable PLIMSOLL_CHAOS, a `Plan` as JSON. Each fault happens once, at a moment of one
stage, and leaves a file in the plan's folder when it does.
"""

import builtins
import contextlib
import errno
import importlib.abc
import importlib.util
import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

VARIABLE = "PLIMSOLL_CHAOS"


@dataclass(frozen=True)
class Fault:
    """What happens, and when."""

    stage: str
    """The stage in whose process it happens."""
    moment: str
    """`opened`: its MLflow run is open. `saved`: it has saved its artifact. `before MODULE:NAME` or `after
    MODULE:NAME`: a function is called, or has returned."""
    act: str
    """`die`: kill -9. `stop`: SIGSTOP. `wait`: sleep until told to go on. `full N`: the N-th write from here on and
    every later one finds the disk full. `clock S`: the clock is S seconds off from here on."""

    @property
    def mark(self) -> str:
        """Name of the file that says that it happened."""
        return "-".join([self.stage, *self.moment.replace(":", "-").split(), self.act.replace(" ", "-")])


@dataclass(frozen=True)
class Plan:
    """What happens in the processes of a run."""

    folder: str
    """Where the faults leave their files."""
    server: str | None = None
    """Socket of the server that forks steps."""
    faults: tuple[Fault, ...] = ()
    exec_stages: tuple[str, ...] = ()
    """Stages that are started as the product starts them."""
    retry: bool = False
    """Whether a task that failed is started once more with the same arguments, as Kubernetes does."""

    def dump(self) -> str:
        """As the environment variable holds it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls) -> "Plan | None":
        """The plan of this process; None if it has none."""
        text = os.environ.get(VARIABLE)
        if text is None:
            return None
        values = json.loads(text)
        values["faults"] = tuple(Fault(**each) for each in values["faults"])
        return cls(**values | {"exec_stages": tuple(values["exec_stages"])})


@dataclass
class _Process:
    """This process, as far as faults are concerned."""

    stage: str = "launcher"
    writes_left: int | None = None
    imported: dict[str, list[Callable[[Any], None]]] = field(default_factory=dict)


_HERE = _Process()


def install() -> None:
    """Puts the plan's faults in place."""
    plan = Plan.read()
    if plan is None:
        return
    sys.meta_path.insert(0, _AfterImport())
    _when_imported("kfp.local.subprocess_task_handler", lambda module: _start_tasks(module, plan))
    _when_imported("components.shared.tracking.runs", lambda module: _watch_stages(module, plan))
    _when_imported("components.shared.artifacts.artifact", lambda module: _watch_artifacts(module, plan))
    for fault in plan.faults:
        if " " in fault.moment:
            side, _, place = fault.moment.partition(" ")
            module, _, name = place.partition(":")
            _when_imported(module, lambda found, f=fault, n=name, s=side: _watch_call(found, n, s, f, plan))


def _reach(plan: Plan, *faults: Fault) -> None:
    for fault in faults:
        mark = Path(plan.folder) / fault.mark
        try:
            with mark.open("x") as new:
                new.write(str(os.getpid()))
        except FileExistsError:
            continue
        _act(fault.act, mark)


def _act(act: str, mark: Path) -> None:
    kind, _, amount = act.partition(" ")
    if kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif kind == "wait":
        while not mark.with_suffix(".go").exists():
            time.sleep(0.02)
    elif kind == "full":
        _HERE.writes_left = int(amount) - 1
        _fill_disk()
    elif kind == "clock":
        _shift_clock(float(amount))
    else:
        raise ValueError(act)


def _due(plan: Plan, moment: str) -> list[Fault]:
    return [fault for fault in plan.faults if (fault.stage, fault.moment) == (_HERE.stage, moment)]


def _watch_stages(module: Any, plan: Plan) -> None:
    original = module.Tracker.stage

    @contextlib.contextmanager
    def stage(self: Any, name: str) -> Iterator[Any]:
        with original(self, name) as run:
            _HERE.stage = name
            _reach(plan, *_due(plan, "opened"))
            yield run

    module.Tracker.stage = stage


def _watch_artifacts(module: Any, plan: Plan) -> None:
    original = module.Artifact.save

    def save(self: Any, path: Path) -> Path:
        saved = original(self, path)
        _reach(plan, *_due(plan, "saved"))
        return saved

    module.Artifact.save = save


def _watch_call(module: Any, name: str, side: str, fault: Fault, plan: Plan) -> None:
    *owners, last = name.split(".")
    owner = module
    for each in owners:
        owner = getattr(owner, each)
    original = getattr(owner, last)

    def call(*arguments: Any, **named: Any) -> Any:
        here = fault.stage == _HERE.stage
        if here and side == "before":
            _reach(plan, fault)
        result = original(*arguments, **named)
        if here and side == "after":
            _reach(plan, fault)
        return result

    setattr(owner, last, call)


def _fill_disk() -> None:
    """Every write that Python code asks for may now find the disk full; what C code writes, sqlite's, does not."""

    def guarded(original: Any, writes: Callable[..., bool]) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            if writes(*arguments, **named):
                if _HERE.writes_left == 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))
                _HERE.writes_left = (_HERE.writes_left or 0) - 1
            return original(*arguments, **named)

        return call

    def opens(file: Any, mode: Any = "r", *_: Any, **named: Any) -> bool:
        # neither a pipe nor a device
        return isinstance(file, str | os.PathLike) and set("wax+") & set(str(named.get("mode", mode))) != set()

    def creates(path: Any, flags: int = 0, *_: Any, **_named: Any) -> bool:
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

    io.open = builtins.open = guarded(builtins.open, opens)
    os.open = guarded(os.open, creates)
    os.mkdir = guarded(os.mkdir, lambda *_, **_named: True)


def _shift_clock(seconds: float) -> None:
    """The clock of the product's and of MLflow's modules is off."""
    import datetime as calendar

    class _Shifted(calendar.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return super().now(tz) + timedelta(seconds=seconds)

    real = time.time
    time.time = lambda: real() + seconds
    for name, module in list(sys.modules.items()):
        ours = name.partition(".")[0] in {"components", "pipelines"}
        if ours and getattr(module, "datetime", None) is calendar.datetime:
            module.datetime = _Shifted


def stage_of(command: Sequence[str]) -> str:
    """The stage that a task of kfp's opens."""
    name = command[command.index("--function_to_execute") + 1]
    inputs = json.loads(command[command.index("--executor_input") + 1]).get("inputs", {})
    side = inputs.get("parameterValues", {}).get("side")
    return f"{name}_{side}" if side else name


def _start_tasks(module: Any, plan: Plan) -> None:
    """The launcher's tasks: forked, but for those that are to be real processes; each command is kept."""
    original = module.run_local_subprocess

    def run_once(command: list[str], variables: dict[str, str] | None) -> int:
        stage = stage_of(command)
        if plan.server is None or stage in plan.exec_stages:
            return int(original(full_command=command, env_vars=variables))
        return _run_forked(plan.server, command, variables)

    def run(full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
        stage = stage_of(full_command)
        (Path(plan.folder) / f"{stage}.command.json").write_text(json.dumps(full_command))
        code = run_once(full_command, env_vars)
        if code != 0 and plan.retry and any(fault.stage == stage for fault in plan.faults):
            code = run_once(full_command, env_vars)
        return code

    module.run_local_subprocess = run


def step_arguments(command: Sequence[str]) -> list[str]:
    """What `fork_server` needs of a task's command: the component's source, then the executor's arguments."""
    return list(command[command.index("--executor_input") - 1 :])


def _run_forked(server: str, command: list[str], variables: dict[str, str] | None) -> int:
    from tests.chaos.fork_server import fork

    reading, writing = os.pipe()
    environment = {**os.environ, **(variables or {})}
    output = f"/proc/{os.getpid()}/fd/{writing}"
    process = fork(server, "step", step_arguments(command), str(Path.cwd()), environment, output)
    os.close(writing)  # the step has its own end by now
    with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            sys.stdout.write(line)
    return process.wait()


class _AfterImport(importlib.abc.MetaPathFinder):
    """Calls what waits for a module, once that is imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _HERE.imported:
            return None
        actions = _HERE.imported.pop(name)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            for action in actions:
                action(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _when_imported(name: str, action: Callable[[Any], None]) -> None:
    if name in sys.modules:
        action(sys.modules[name])
    else:
        _HERE.imported.setdefault(name, []).append(action)
