"""The runner for containers, without a container engine; tests/containers runs it against a real one."""

import pytest
from kfp import dsl
from kfp.local import docker_task_handler

from components.images import CODE_LABEL, CPU_IMAGE, GPU_IMAGE, code_digest
from components.shared.config.anchoring import anchor
from components.shared.config.reading import load_pipeline_config, load_policy
from components.shared.errors import ConfigError
from pipelines.running.docker_runner import (
    _refuse_other_code,
    check_containers,
    container_runner,
    images_of,
    surroundings,
)
from pipelines.running.interruption import RUN_VARIABLE
from pipelines.running.launch import load, run_local
from pipelines.safety_gate import build


class FakeDocker:
    """A client of an engine that has every image, built from this code, and records which ones it was asked for."""

    def __init__(self, asked: list[str]) -> None:
        self._asked = asked
        self.images = self
        self.labels = {CODE_LABEL: code_digest()}

    def ping(self) -> None: ...

    def close(self) -> None: ...

    def info(self) -> dict[str, list[str]]:
        return {}

    def get(self, image: str) -> "FakeDocker":
        self._asked.append(image)
        return self


@pytest.fixture
def config(root, tmp_path):
    return anchor(load_pipeline_config(str(root / "configs/pipelines/demo-careful.yaml")), tmp_path)


@pytest.fixture
def pipeline(root, config) -> dsl.base_component.BaseComponent:
    return build(config, load_policy(str(root / "configs/policies/toy.yaml")))


def test_kfp_runs_containers_through_our_function_only_inside_the_context(config, tmp_path, monkeypatch):
    """Inside the context kfp calls our function, which adds folders and variables; afterwards its own again."""
    before = docker_task_handler.run_docker_container
    around = surroundings(config, tmp_path, tmp_path / ".plimsoll/runs/1", "1")
    asked_for: dict[str, dict] = {}

    def run(client: object, image: str, command: list[str], **arguments: object) -> int:
        asked_for.update(arguments)
        return 3

    monkeypatch.setattr("pipelines.running.docker_runner.run_container", run)
    inner = str(tmp_path / ".plimsoll/runs/1/artifacts")
    volumes = {name: {"bind": bind, "mode": "rw"} for name, bind in ((inner, inner), ("/kfp", "/kfp-workspace"))}
    with container_runner(around) as runner:
        asked = {**runner.container_run_args, "environment": {"OWN": "1"}}
        code = docker_task_handler.run_docker_container(object(), "image", ["do"], volumes, **asked)
    assert code == 3
    assert docker_task_handler.run_docker_container is before
    assert asked_for["environment"]["OWN"] == "1"
    assert asked_for["environment"][RUN_VARIABLE] == "1"
    assert asked_for["working_dir"] == str(tmp_path)
    folders = (str(tmp_path), "/kfp")
    modes = {name: bind["mode"] for name, bind in asked_for["volumes"].items() if name.startswith(folders)}
    assert modes == {str(tmp_path): "ro", str(tmp_path / ".plimsoll"): "rw", "/kfp": "rw"}


def test_without_an_engine_the_cure_is_named(pipeline, tmp_path, monkeypatch):
    """Without an engine, the message names the address that was tried and what to start."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(ConfigError, match=r"no container engine answers at unix://.*no\.sock.*podman system service"):
        check_containers(pipeline)


def test_both_images_are_looked_for(pipeline):
    """The images of a pipeline are those of its tasks, and no other."""
    assert images_of(pipeline) == sorted({CPU_IMAGE, GPU_IMAGE})


def test_an_image_of_other_code_is_refused(capsys):
    """An image of other code is refused, one of this code is taken, and one without the label causes a warning."""
    _refuse_other_code("an-image", {CODE_LABEL: code_digest()})
    assert capsys.readouterr().err == ""
    with pytest.raises(ConfigError, match=r"'an-image' was built from other code \(0000.*`make images`"):
        _refuse_other_code("an-image", {CODE_LABEL: "0" * 64})
    _refuse_other_code("an-image", {})
    assert "'an-image' does not say what code" in capsys.readouterr().err


def test_the_images_that_run_are_the_images_that_are_checked(tracked_project, monkeypatch):
    """`--runner docker` looks for the images of its containers, not for those that the config names for a cluster."""
    tracked_project.write_config(
        cluster={"cpu": {"image": "registry.example.com/cpu:1"}, "gpu": {"image": "registry.example.com/gpu:1"}}
    )
    checked: list[str] = []
    used: list[str] = []

    def run(client: object, image: str, command: list[str], **arguments: object) -> int:
        used.append(image)
        return 1

    monkeypatch.setattr("docker.from_env", lambda: FakeDocker(checked))
    monkeypatch.setattr("pipelines.running.docker_runner.run_container", run)
    run_local(load("config.yaml"), runner="docker")
    assert sorted(checked) == sorted({CPU_IMAGE, GPU_IMAGE})
    assert set(used) <= set(checked)
    assert used


def test_without_an_engine_no_run_begins(project, tmp_path, monkeypatch):
    """`--runner docker` without an engine ends before anything is tracked."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(ConfigError, match="no container engine answers"):
        run_local(load("config.yaml"), runner="docker")
    assert not (project.folder / ".plimsoll/mlflow.db").exists()
