"""A pipeline as it is sent to a cluster: compiled, checked against Kubeflow's schema, and checked for references.

Kubeflow's compiler and loader accept a task that reads an input which its component does not declare; the run then
fails half-way. `compile_package` finds this before anything is sent.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from components.shared.digests import digest_json
from pipelines.cluster.server_errors import ClusterError
from pipelines.running.launch import Loaded, compile_pipeline

Spec = dict[str, Any]


class Package(NamedTuple):
    """A compiled pipeline.

    Attributes:
        pipeline_spec: PipelineSpec as JSON.
        platform_spec: PlatformSpec as JSON: what the pods get.
        text: the YAML that `plimsoll compile` writes.
    """

    pipeline_spec: Spec
    platform_spec: Spec
    text: str

    @property
    def name(self) -> str:
        """The pipeline's name on the server."""
        return str(self.pipeline_spec["pipelineInfo"]["name"])

    @property
    def digest(self) -> str:
        """The digest of both parts."""
        return digest_json(self.body)

    @property
    def body(self) -> Spec:
        """Both parts, as a run's request holds them."""
        return {"pipeline_spec": self.pipeline_spec, "platform_spec": self.platform_spec}

    def tasks(self) -> dict[str, str]:
        """The displayed name of every task that runs a step, by its name in the graph."""
        components = self.pipeline_spec["components"]
        dags = [self.pipeline_spec["root"], *components.values()]
        return {
            name: task["taskInfo"]["name"]
            for component in dags
            for name, task in component.get("dag", {}).get("tasks", {}).items()
            if "dag" not in components[task["componentRef"]["name"]]
        }


def compile_package(loaded: Loaded) -> Package:
    """Compiles a config's pipeline and checks it against Kubeflow's schema.

    Raises:
        ClusterError: it does not fit Kubeflow's schema, or a task reads what nothing declares.
    """
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "pipeline.yaml"
        compile_pipeline(loaded, target)
        return parse_package(target.read_text(encoding="utf-8"))


def parse_package(text: str) -> Package:
    """A compiled pipeline from the YAML that the compiler wrote: one document, or two.

    Raises:
        ClusterError: see `compile_package`.
    """
    from google.protobuf.json_format import (
        MessageToDict,
        ParseDict,
        ParseError,
    )
    from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
    from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec, PlatformSpec

    documents = list(yaml.safe_load_all(text))
    spec, platform = documents[0], documents[1] if len(documents) > 1 else {}
    try:
        pipeline_spec: Spec = MessageToDict(ParseDict(spec, PipelineSpec()))
        platform_spec: Spec = MessageToDict(ParseDict(platform, PlatformSpec()))
        for pod in _pods(platform_spec).values():
            ParseDict(pod, KubernetesExecutorConfig())
    except ParseError as error:
        raise ClusterError(f"the compiled pipeline does not fit Kubeflow's schema: {error}") from None
    if problems := [*_undeclared(pipeline_spec), *_unknown_pods(pipeline_spec, platform_spec)]:
        raise ClusterError(f"the compiled pipeline cannot run: {'; '.join(problems)}")
    return Package(pipeline_spec, platform_spec, text)


def _pods(platform_spec: Spec) -> Spec:
    platforms = platform_spec.get("platforms", {}).get("kubernetes", {})
    return dict(platforms.get("deploymentSpec", {}).get("executors", {}))


def _unknown_pods(spec: Spec, platform_spec: Spec) -> Iterator[str]:
    executors = spec["deploymentSpec"]["executors"]
    for name in _pods(platform_spec):
        if name not in executors:
            yield f"the platform part names executor {name!r}, which is not in the graph"


def _undeclared(spec: Spec) -> Iterator[str]:
    """A sentence for everything that a task or an executor reads without a declaration."""
    for owner, component in {"root": spec["root"], **spec["components"]}.items():
        declared = _declared(component)
        for name, task in component.get("dag", {}).get("tasks", {}).items():
            yield from _undeclared_by_task(spec, owner, declared, name, task)
        label = component.get("executorLabel")
        if label is not None and label not in spec["deploymentSpec"]["executors"]:
            yield f"component {owner!r} has executor {label!r}, which does not exist"
        elif label is not None:
            for read in sorted(_placeholders(spec["deploymentSpec"]["executors"][label]) - declared):
                yield f"executor {label!r} reads {read!r}, which {owner!r} does not declare"


def _undeclared_by_task(spec: Spec, owner: str, declared: set[str], name: str, task: Spec) -> Iterator[str]:
    reference = task["componentRef"]["name"]
    if reference not in spec["components"]:
        yield f"task {name!r} is {reference!r}, which does not exist"
        return
    wanted = _declared(spec["components"][reference])
    inputs = task.get("inputs", {})
    for key, value in {**inputs.get("parameters", {}), **inputs.get("artifacts", {})}.items():
        if key not in wanted:
            yield f"task {name!r} passes {key!r}, which {reference!r} does not declare"
        source = value.get("componentInputParameter") or value.get("componentInputArtifact")
        if source is not None and source not in declared:
            yield f"task {name!r} reads {source!r}, which {owner!r} does not declare"


def _declared(component: Mapping[str, Any]) -> set[str]:
    definitions = component.get("inputDefinitions", {})
    return {*definitions.get("parameters", {}), *definitions.get("artifacts", {})}


_START = "{{$.inputs.parameters['"


def _placeholders(executor: Mapping[str, Any]) -> set[str]:
    """The inputs that a container's settings name in placeholders; its command is left out, because that is code."""
    container = {key: value for key, value in executor.get("container", {}).items() if key != "command"}
    text = str(container).replace('"', "'").replace("\\'", "'")
    return {part.partition("'")[0] for part in text.split(_START)[1:]}
