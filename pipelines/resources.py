"""What each task gets on a cluster. A local run ignores all of it.

Fixed at compile time, because settings that are parameters compile to undeclared references inside an exit
handler. It does not know what a task does.
"""

from typing import NamedTuple

from kfp.dsl import PipelineTask

GPU_RESOURCE = "nvidia.com/gpu"


class Resources(NamedTuple):
    """CPU, memory and GPUs of one task."""

    cpu: str
    memory: str
    gpus: int = 0


CPU_STEP = Resources(cpu="1", memory="4Gi")
GPU_STEP = Resources(cpu="8", memory="64Gi", gpus=1)


def place(task: PipelineTask, name: str, resources: Resources, cached: bool = False) -> PipelineTask:
    """Names a task and sets its resources and caching.

    Args:
        task: as its component made it.
        name: shown in the graph.
        resources: requests and limits are equal.
        cached: whether KFP may reuse an earlier execution. Off for everything that decides, and for what the
            content-addressed store reuses anyway: KFP's key holds an image's name, not its content.
    """
    task.set_display_name(name)
    task.set_cpu_request(resources.cpu).set_cpu_limit(resources.cpu)
    task.set_memory_request(resources.memory).set_memory_limit(resources.memory)
    if resources.gpus:
        task.set_accelerator_type(GPU_RESOURCE).set_accelerator_limit(resources.gpus)
    task.set_caching_options(cached)
    return task
