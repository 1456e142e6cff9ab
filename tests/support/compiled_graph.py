"""A compiled pipeline as tasks and arrows, for the tests of the graph."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from components.images import CPU_IMAGE, GPU_IMAGE

Inputs = dict[str, "frozenset[Source]"]


class Source(NamedTuple):
    """Where a value comes from: a task's output; without a task, a parameter of the pipeline or a constant."""

    task: str
    output: str


class Task(NamedTuple):
    """A task that runs a step.

    Attributes:
        name: as shown in the graph.
        component: the step.
        container: image, command and resources of its pod.
        inputs: sources by the input's name; two where a branch decides.
        after: paths of the tasks that it waits for although it reads nothing of them, with its conditions' tasks.
        conditions: of the branches around it, with sources in place of placeholders.
        settings: the task as compiled.
    """

    name: str
    component: str
    container: dict[str, Any]
    inputs: Inputs
    after: frozenset[str]
    conditions: tuple[str, ...]
    settings: dict[str, Any]


class Graph:
    """Every task of a compiled pipeline, by its path through nested DAGs, and what it needs.

    An input of a DAG is traced to the task outside that makes it, and its output to the tasks inside.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self._components = {"root": spec["root"], **spec["components"]}
        self._executors = spec["deploymentSpec"]["executors"]
        self.tasks: dict[str, Task] = {}
        parameters = spec["root"]["inputDefinitions"]["parameters"]
        self._walk("root", "", {name: frozenset({Source("", name)}) for name in parameters}, frozenset(), ())
        self.components = {path: task.component for path, task in self.tasks.items()}
        self.needs = {
            path: {source.task for sources in task.inputs.values() for source in sources if source.task} | task.after
            for path, task in self.tasks.items()
        }

    def shown(self, source: Source) -> str:
        """A source in words: `step.output`, or the pipeline's parameter or constant."""
        return f"{self.tasks[source.task].name}.{source.output}" if source.task else source.output

    def paths(self, start: str, end: str) -> Iterator[tuple[str, ...]]:
        """All ways from one component to another, as task paths."""
        for task in [name for name, component in self.components.items() if component == start]:
            yield from self._paths_from(task, end, (task,))

    def _paths_from(self, task: str, end: str, seen: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if self.components[task] == end:
            yield seen
            return
        for follower, needs in self.needs.items():
            if task in needs and follower not in seen:
                yield from self._paths_from(follower, end, (*seen, follower))

    def _walk(
        self, component: str, prefix: str, inputs: Inputs, after: frozenset[str], conditions: tuple[str, ...]
    ) -> None:
        dag = self._components[component]["dag"]
        for name, task in dag["tasks"].items():
            bound = {
                key: self._sources(dag, prefix, inputs, value)
                for kind in ("parameters", "artifacts")
                for key, value in task.get("inputs", {}).get(kind, {}).items()
            }
            before = after.union(*(self._leaves(dag, prefix, other) for other in task.get("dependentTasks", [])))
            branches = conditions
            if condition := task.get("triggerPolicy", {}).get("condition"):
                read = {key: bound[key] for key in re.findall(r"parameter_values\['([^']+)'\]", condition)}
                before = before.union(source.task for sources in read.values() for source in sources)
                for key, sources in read.items():
                    shown = " | ".join(sorted(self.shown(source) for source in sources))
                    condition = condition.replace(f"inputs.parameter_values['{key}']", shown)
                branches = (*conditions, condition)
            child = task["componentRef"]["name"]
            if "dag" in self._components[child]:
                self._walk(child, f"{prefix}{name}/", bound, before, branches)
                continue
            step = child.removeprefix("comp-").rstrip("-0123456789")
            container = self._executors[self._components[child]["executorLabel"]]["container"]
            shown_name = task["taskInfo"]["name"]
            self.tasks[f"{prefix}{name}"] = Task(shown_name, step, container, bound, before, branches, task)

    def _sources(self, dag: dict[str, Any], prefix: str, inputs: Inputs, value: dict[str, Any]) -> frozenset[Source]:
        if key := value.get("componentInputParameter") or value.get("componentInputArtifact"):
            return inputs[key]
        if "runtimeValue" in value:
            return frozenset({Source("", json.dumps(value["runtimeValue"]["constant"]))})
        if "taskFinalStatus" in value:
            return frozenset({Source("", f"status of {value['taskFinalStatus']['producerTask']}")})
        made = value.get("taskOutputParameter") or value["taskOutputArtifact"]
        output = made.get("outputParameterKey") or made["outputArtifactKey"]
        return self._outputs(dag, prefix, made["producerTask"], output)

    def _outputs(self, dag: dict[str, Any], prefix: str, task: str, output: str) -> frozenset[Source]:
        """The output of a task, or of the tasks inside that make it when it is a DAG."""
        inner = self._components[dag["tasks"][task]["componentRef"]["name"]].get("dag")
        if inner is None:
            return frozenset({Source(f"{prefix}{task}", output)})
        made = inner["outputs"]["parameters"][output]
        choices = (
            made["valueFromOneof"]["parameterSelectors"] if "valueFromOneof" in made else [made["valueFromParameter"]]
        )
        return frozenset().union(
            *(
                self._outputs(inner, f"{prefix}{task}/", choice["producerSubtask"], choice["outputParameterKey"])
                for choice in choices
            )
        )

    def _leaves(self, dag: dict[str, Any], prefix: str, task: str) -> frozenset[str]:
        """The task itself, or every task inside it when it is a DAG."""
        inner = self._components[dag["tasks"][task]["componentRef"]["name"]].get("dag")
        if inner is None:
            return frozenset({f"{prefix}{task}"})
        return frozenset().union(*(self._leaves(inner, f"{prefix}{task}/", name) for name in inner["tasks"]))


def listing(graph: Graph) -> str:
    """Every task with image and conditions, a line per arrow into it, its parameters, and what else it waits for."""
    lines = []
    for task in sorted(graph.tasks.values(), key=lambda task: task.name):
        always = task.settings.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED"
        image = {CPU_IMAGE: "CPU image", GPU_IMAGE: "GPU image"}[task.container["image"]]
        lines.append(", ".join([task.name, image, *(f"if {one}" for one in task.conditions), *["always"] * always]))
        parameters = []
        for key, sources in sorted(task.inputs.items()):
            shown = " | ".join(sorted(graph.shown(source) for source in sources))
            if any(source.task for source in sources):
                lines.append(f"    {key} <- {shown}")
            elif key not in ("pipeline", "pipeline_run"):
                parameters.append(key if key == shown else f"{key} = {shown}")
        lines.append(f"    parameters: {', '.join(parameters)}")
        read = {source.task for sources in task.inputs.values() for source in sources}
        waits = [] if always else sorted(graph.tasks[path].name for path in task.after - read)
        lines += [f"    after: {', '.join(waits)}"] * bool(waits)
    return "\n".join(lines) + "\n"
