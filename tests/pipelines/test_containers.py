"""The runner for containers, as far as no container engine is needed; tests/containers runs it against one."""

from collections.abc import Iterator

import pytest
import requests
from kfp import dsl
from kfp.local import docker_task_handler

from components.images import CODE_LABEL, CPU_IMAGE, GPU_IMAGE, code_digest
from components.shared.config.anchoring import anchor
from components.shared.config.files import load_pipeline_config, load_policy
from components.shared.errors import ConfigError
from pipelines.containers import (
    _refuse_other_code,
    check_containers,
    container_runner,
    images_of,
    run_container,
    surroundings,
)
from pipelines.interruption import RUN_VARIABLE, Interrupted
from pipelines.launch import load, run_local
from pipelines.safety_gate import build


class FakeContainer:
    """A container as docker-py shows it: prints, ends, and can be removed."""

    def __init__(self, pieces: list[bytes], code: int, streamed: int, deaf: int = 0) -> None:
        self._pieces, self._code, self._streamed, self._deaf = pieces, code, streamed, deaf
        self.removed = False
        self.interrupt = False
        self.refusal: Exception | None = None
        self.status = "running"
        self.attrs = {"State": {"ExitCode": code}}

    def start(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def logs(self, stream: bool = False) -> Iterator[bytes] | bytes:
        return self._stream() if stream else b"".join(self._pieces)

    def _stream(self) -> Iterator[bytes]:
        yield from self._pieces[: self._streamed]
        if self.interrupt:
            raise Interrupted("SIGTERM")

    def wait(self) -> dict[str, int]:
        if self._deaf:
            self._deaf -= 1
            raise requests.exceptions.ReadTimeout
        return {"StatusCode": self._code}

    def reload(self) -> None:
        self.status = "running" if self._deaf else "exited"

    def remove(self, force: bool) -> None:
        self.removed = force


class FakeEngine:
    """A client of a container engine that runs one prepared container and remembers how it was asked."""

    def __init__(self, container: FakeContainer) -> None:
        self.containers = self
        self._container = container
        self.asked: dict[str, object] = {}

    def create(self, **arguments: object) -> FakeContainer:
        self.asked = arguments
        return self._container


@pytest.fixture
def config(root, tmp_path):
    return anchor(load_pipeline_config(str(root / "configs/pipelines/demo-careful.yaml")), tmp_path)


@pytest.fixture
def pipeline(root, config) -> dsl.base_component.BaseComponent:
    return build(config, load_policy(str(root / "configs/policies/toy.yaml")))


@pytest.mark.parametrize("code", [0, 1, 7, 137])
@pytest.mark.parametrize("streamed", [0, 1, 3])
def test_the_exit_code_is_the_container_s_own(capsys, code, streamed):
    """Whatever the stream delivered, the exit code is the container's and its output is printed once and whole."""
    container = FakeContainer([b"one\n", b"tw\xc3\xb6\n", b"three\n"], code, streamed)
    engine = FakeEngine(container)
    assert run_container(engine, "image", ["do"], user="1:1") == code
    assert capsys.readouterr().out == "one\ntwö\nthree\n"
    assert container.removed
    assert engine.asked == {"image": "image", "command": ["do"], "detach": True, "auto_remove": False, "user": "1:1"}


def test_an_engine_that_is_slow_to_answer_is_asked_again(monkeypatch):
    """A timeout while waiting is no verdict: what the container ended with is."""
    monkeypatch.setattr("pipelines.containers.time.sleep", lambda _: None)
    assert run_container(FakeEngine(FakeContainer([], 7, 0, deaf=3)), "image", ["do"]) == 7


def test_an_interrupted_launcher_removes_its_container():
    """An interruption passes through, and the container does not outlive it."""
    container = FakeContainer([b"one\n"], 0, 1)
    container.interrupt = True
    with pytest.raises(Interrupted):
        run_container(FakeEngine(container), "image", ["do"])
    assert container.removed


def test_a_container_that_cannot_start_does_not_stay():
    """What the engine made and could not start is removed, and its reason is raised."""
    container = FakeContainer([], 0, 0)
    container.refusal = RuntimeError("no such network")
    with pytest.raises(RuntimeError, match="no such network"):
        run_container(FakeEngine(container), "image", ["do"])
    assert container.removed


def test_kfp_runs_containers_our_way_only_while_it_lasts(config, tmp_path):
    """Inside, kfp's function is ours and gives every container the folders and variables; afterwards it is its own."""
    before = docker_task_handler.run_docker_container
    around = surroundings(config, tmp_path, tmp_path / ".plimsoll/runs/1", "1")
    engine = FakeEngine(FakeContainer([], 3, 0))
    inner = str(tmp_path / ".plimsoll/runs/1/artifacts")
    volumes = {name: {"bind": bind, "mode": "rw"} for name, bind in ((inner, inner), ("/kfp", "/kfp-workspace"))}
    with container_runner(around) as runner:
        asked = {**runner.container_run_args, "environment": {"OWN": "1"}}
        code = docker_task_handler.run_docker_container(engine, "image", ["do"], volumes, **asked)
    assert code == 3
    assert docker_task_handler.run_docker_container is before
    assert engine.asked["environment"]["OWN"] == "1"
    assert engine.asked["environment"][RUN_VARIABLE] == "1"
    assert engine.asked["working_dir"] == str(tmp_path)
    own = (str(tmp_path), "/kfp")
    modes = {name: bind["mode"] for name, bind in engine.asked["volumes"].items() if name.startswith(own)}
    assert modes == {str(tmp_path): "ro", str(tmp_path / ".plimsoll"): "rw", "/kfp": "rw"}


def test_without_an_engine_the_cure_is_named(pipeline, tmp_path, monkeypatch):
    """Where nothing answers, the message says where it was looked for and what to start."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(ConfigError, match=r"no container engine answers at unix://.*no\.sock.*podman system service"):
        check_containers(pipeline)


def test_both_images_are_looked_for(pipeline):
    """The images of a pipeline are those of its tasks, and no other."""
    assert images_of(pipeline) == sorted({CPU_IMAGE, GPU_IMAGE})


def test_an_image_of_other_code_is_refused(capsys):
    """Images of other code are refused, of this code are taken, and without a word about it are warned of."""
    _refuse_other_code("an-image", {CODE_LABEL: code_digest()})
    assert capsys.readouterr().err == ""
    with pytest.raises(ConfigError, match=r"'an-image' was built from other code \(0000.*`make images`"):
        _refuse_other_code("an-image", {CODE_LABEL: "0" * 64})
    _refuse_other_code("an-image", {})
    assert "'an-image' does not say what code" in capsys.readouterr().err


def test_without_an_engine_no_run_begins(project, tmp_path, monkeypatch):
    """`--runner docker` without an engine ends before anything is tracked."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(ConfigError, match="no container engine answers"):
        run_local(load("config.yaml"), runner="docker")
    assert not (project.folder / ".plimsoll/mlflow.db").exists()
