"""Runs each task of a local run in a container of its image, through kfp's DockerRunner and Docker's API.

Podman has the same API: DOCKER_HOST names its socket. kfp's function that runs a container is replaced by ours
(`pipelines.running.docker_task`), and more is mounted than the output folder. Containers see no GPU.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from kfp import local
from kfp.dsl.base_component import BaseComponent
from kfp.local import docker_task_handler

from components.images import CODE_LABEL, code_digest
from components.shared.audit.actor import who_acts
from components.shared.config.sections import PipelineConfig
from components.shared.errors import ConfigError
from components.shared.progress import speaker, warn
from pipelines.running.docker_task import run_container
from pipelines.running.interruption import RUN_VARIABLE
from pipelines.running.mounts import Mode, environment_of, files_named_by, model_cache, mounts_of, outermost

LABEL = "plimsoll.pipeline-run"
"""Label by which the containers of a run are found."""


class Surroundings(NamedTuple):
    """What every container of a run gets."""

    mounts: Mapping[Path, Mode]
    """Folders, with the same path inside as outside."""
    environment: Mapping[str, str]
    folder: Path
    """Where the steps run: the project's folder."""
    pipeline_run: str


def surroundings(config: PipelineConfig, root: Path, work_dir: Path, pipeline_run: str) -> Surroundings:
    """What the containers of a run get; creates the writable folders.

    Args:
        config: with absolute paths.
        root: the project's folder.
        work_dir: of this run.
        pipeline_run: id of the run.
    """
    passed = environment_of(config, os.environ)
    named = files_named_by(passed)
    mounts = outermost({**named, **mounts_of(config, root, work_dir)})
    for path, mode in mounts.items():
        if mode == "rw":
            path.mkdir(parents=True, exist_ok=True)
    environment = {**passed, RUN_VARIABLE: pipeline_run, "PLIMSOLL_USER": who_acts()}
    if model_cache() in mounts:
        environment["HF_HOME"] = str(model_cache())
    present = {path: mode for path, mode in mounts.items() if path.exists()}
    return Surroundings(present, environment, root, pipeline_run)


def check_containers(pipeline: BaseComponent) -> None:
    """Checks that a container engine answers and has the images of a pipeline; pulls missing ones.

    Args:
        pipeline: the one that will run; a cluster's pipeline may name other images.

    Raises:
        ConfigError: no engine answers, an image is neither here nor can be pulled, or it was built from other code, so
            that its steps would read and write other artifacts.
    """
    import docker
    from docker.errors import DockerException, ImageNotFound

    where = os.environ.get("DOCKER_HOST", "the default socket")
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        raise ConfigError(
            f"--runner docker: no container engine answers at {where} ({error}); start Docker, or "
            "`podman system service` with DOCKER_HOST naming its socket"
        ) from error
    try:
        for reference in images_of(pipeline):
            try:
                image = client.images.get(reference)
            except ImageNotFound:
                image = _pull(client, reference)
            _refuse_other_code(reference, image.labels)
    finally:
        client.close()


def images_of(pipeline: BaseComponent) -> list[str]:
    """The images that the tasks of a pipeline run in."""
    executors = pipeline.pipeline_spec.deployment_spec["executors"]
    return sorted({executor["container"]["image"] for executor in executors.values() if "container" in executor})


@contextmanager
def container_runner(around: Surroundings) -> Iterator[local.DockerRunner]:
    """A DockerRunner; inside the context kfp runs containers through `run_container`.

    Args:
        around: what every container gets.
    """

    def run(client: Any, image: str, command: list[str], volumes: Mapping[str, Any], **arguments: Any) -> int:
        environment = {**around.environment, **(arguments.pop("environment", None) or {})}
        binds = {str(path): {"bind": str(path), "mode": mode} for path, mode in around.mounts.items()}
        # kfp's workspace stays mounted; its output folder lies below one of ours
        binds |= {name: bind for name, bind in volumes.items() if not _covered(Path(name), around.mounts)}
        return run_container(client, image, command, environment=environment, volumes=binds, **arguments)

    before = docker_task_handler.run_docker_container
    docker_task_handler.run_docker_container = run
    try:
        yield local.DockerRunner(
            user=f"{os.getuid()}:{os.getgid()}",  # files in the mounted folders belong to this user
            network_mode="host",  # a tracking server or an endpoint on this machine keeps its address
            working_dir=str(around.folder),
            labels={LABEL: around.pipeline_run},
        )
    finally:
        docker_task_handler.run_docker_container = before


def _covered(path: Path, mounts: Collection[Path]) -> bool:
    return path in mounts or any(parent in mounts for parent in path.parents)


def _refuse_other_code(image: str, labels: Mapping[str, str]) -> None:
    built_from = labels.get(CODE_LABEL)
    if built_from is None:
        warn(f"the image {image!r} does not say what code it was built from")
    elif built_from != (ours := code_digest()):
        raise ConfigError(
            f"--runner docker: the image {image!r} was built from other code ({built_from[:12]}) than this "
            f"({ours[:12]}): its steps would read and write other artifacts; `make images` builds it anew"
        )


def _pull(client: Any, image: str) -> Any:
    from docker.errors import DockerException

    if image.startswith("localhost/"):
        raise ConfigError(
            f"--runner docker: the container engine has no image {image!r}; `make images` builds it, or name another "
            "one with PLIMSOLL_CPU_IMAGE and PLIMSOLL_GPU_IMAGE"
        )
    speaker("run")(f"pulling {image}")
    try:
        return client.images.pull(image)
    except DockerException as error:
        raise ConfigError(
            f"--runner docker: the image {image!r} is not here and cannot be pulled: {error}; log in to its registry, "
            "or build it with `make images`"
        ) from error
