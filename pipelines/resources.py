"""What each task gets on a cluster, from the section `cluster:`. In a local run a task gets its name, and no cache.

All of it is fixed when the pipeline is compiled, because a setting that is a pipeline parameter compiles to an
undeclared reference inside an exit handler.
"""

from collections.abc import Callable
from typing import Literal

from kfp.dsl import PipelineConfig as RunSettings
from kfp.dsl import PipelineTask

from components.images import GPU_IMAGE
from components.shared.config.cluster import ClusterConfig, GpuPlace, StepPlace

Kind = Literal["cpu", "gpu"]
CPU_STEP: Kind = "cpu"
GPU_STEP: Kind = "gpu"

Place = Callable[[PipelineTask, str, Kind], PipelineTask]
"""Sets the name of a task (the step, then what distinguishes two tasks of one step) and where it runs."""

MODEL_CACHE_VARIABLE = "HF_HOME"


def placement(cluster: ClusterConfig, pipeline: str, local: bool) -> Place:
    """The function that names and places each task of a pipeline.

    Args:
        cluster: the section of the config.
        pipeline: name of the pipeline, for the pods' labels.
        local: whether the run is on this machine, where there are no pods, and where a retry would really wait.
    """

    def place(task: PipelineTask, name: str, kind: Kind) -> PipelineTask:
        step = name.partition(" ")[0]
        task.set_display_name(name)
        task.set_caching_options(not local and step in cluster.cached_steps)
        if not local:
            where = cluster.gpu if kind == GPU_STEP else cluster.cpu
            _set_container(task, where, cluster)
            _set_retries(task, cluster)
            _set_pod(task, where, cluster)
            _set_environment(task, kind, cluster)
            _set_labels(task, {"plimsoll/pipeline": pipeline, "plimsoll/step": step, "plimsoll/kind": kind}, cluster)
        return task

    return place


def run_settings(cluster: ClusterConfig) -> RunSettings:
    """The settings of a run as a whole."""
    return RunSettings(ttl_seconds_after_finished=cluster.ttl_s, active_deadline_seconds=cluster.run_timeout_s)


def _set_container(task: PipelineTask, where: StepPlace, cluster: ClusterConfig) -> None:
    # by the image of the component, not by the place: a follow-up with nothing to ask runs without a GPU
    image = cluster.gpu.image if task.container_spec.image == GPU_IMAGE else cluster.cpu.image
    if image is not None:
        task.set_container_image(image)
    task.set_cpu_request(where.cpu).set_cpu_limit(where.cpu)
    task.set_memory_request(where.memory).set_memory_limit(where.memory)
    if isinstance(where, GpuPlace):
        task.set_accelerator_type(where.accelerator).set_accelerator_limit(where.count)
    for name, value in cluster.env.items():
        task.set_env_variable(name, value)


def _set_retries(task: PipelineTask, cluster: ClusterConfig) -> None:
    retries = cluster.retries
    if retries.count:
        task.set_retry(
            num_retries=retries.count,
            backoff_duration=f"{retries.first_wait_s}s",
            backoff_factor=retries.factor,
            backoff_max_duration=f"{retries.window_s}s",
        )


def _set_pod(task: PipelineTask, where: StepPlace, cluster: ClusterConfig) -> None:
    from kfp import kubernetes

    for label, value in where.node_selector.items():
        kubernetes.add_node_selector(task, label, value)
    for taint in where.tolerations:
        kubernetes.add_toleration(task, taint.key, taint.operator, taint.value, taint.effect, taint.seconds)
    if where.node_affinity is not None:
        kubernetes.add_node_affinity_json(task, where.node_affinity)
    if where.timeout_s is not None:
        kubernetes.set_timeout(task, where.timeout_s)
    if where.shared_memory is not None:
        kubernetes.empty_dir_mount(task, "shared-memory", "/dev/shm", "Memory", where.shared_memory)  # noqa: S108
    kubernetes.set_image_pull_policy(task, cluster.image_pull_policy)
    if cluster.image_pull_secrets:
        kubernetes.set_image_pull_secrets(task, list(cluster.image_pull_secrets))
    user = cluster.user
    kubernetes.set_security_context(task, run_as_user=user.user, run_as_group=user.group, run_as_non_root=user.non_root)


def _set_environment(task: PipelineTask, kind: Kind, cluster: ClusterConfig) -> None:
    from kfp import kubernetes

    for secret in cluster.secrets:
        kubernetes.use_secret_as_env(task, secret.name, dict(secret.keys), optional=secret.optional)
    for source in cluster.config_maps:
        kubernetes.use_config_map_as_env(task, source.name, dict(source.keys), optional=source.optional)
    claims = list(cluster.volumes)
    if kind == GPU_STEP:
        claims += [claim for claim in (cluster.model_cache, cluster.checkpoints) if claim is not None]
        if cluster.model_cache is not None:
            task.set_env_variable(MODEL_CACHE_VARIABLE, cluster.model_cache.path)
    for claim in claims:
        kubernetes.mount_pvc(task, claim.claim, claim.path, claim.sub_path)


def _set_labels(task: PipelineTask, labels: dict[str, str], cluster: ClusterConfig) -> None:
    from kfp import kubernetes

    for label, value in {"app.kubernetes.io/name": "plimsoll", **cluster.labels, **labels}.items():
        kubernetes.add_pod_label(task, label, value)
    for name, value in cluster.annotations.items():
        kubernetes.add_pod_annotation(task, name, value)
