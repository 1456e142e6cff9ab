"""The compiled graph, as KFP would run it."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kfp.compiler import Compiler

from components.shared.config.reading import load_pipeline_config, load_policy
from pipelines.safety_gate import build, config_texts


@pytest.fixture(scope="module")
def loaded(root):
    config = load_pipeline_config(str(root / "configs/pipelines/demo-careful.yaml"))
    return config, load_policy(str(root / config.policy))


@pytest.fixture(scope="module")
def spec(loaded, tmp_path_factory) -> dict[str, Any]:
    target = tmp_path_factory.mktemp("compiled") / "pipeline.yaml"
    Compiler().compile(build(*loaded), str(target))
    return next(yaml.safe_load_all(target.read_text()))


class Graph:
    """Every task of a compiled pipeline and what it needs: data, order or a condition, through nested DAGs.

    A task of a conditional DAG needs whatever its condition reads. A DAG's input is traced to the task outside that
    makes it, and its output to the task inside.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self._components = {"root": spec["root"], **spec["components"]}
        self.components: dict[str, str] = {}
        self.needs: dict[str, set[str]] = {}
        self._walk("root", "", {}, set())

    def paths(self, start: str, end: str, seen: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        """All ways from one component to another, as task names."""
        for task in [name for name, component in self.components.items() if component == start]:
            yield from self._paths_from(task, end, (task,))

    def _paths_from(self, task: str, end: str, seen: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if self.components[task] == end:
            yield seen
            return
        for follower, needs in self.needs.items():
            if task in needs and follower not in seen:
                yield from self._paths_from(follower, end, (*seen, follower))

    def _walk(self, component: str, prefix: str, inputs: dict[str, set[str]], conditions: set[str]) -> None:
        dag = self._components[component]["dag"]
        for name, task in dag["tasks"].items():
            needs = set(conditions)
            bound: dict[str, set[str]] = {}
            for kind in ("parameters", "artifacts"):
                for key, value in task.get("inputs", {}).get(kind, {}).items():
                    bound[key] = self._producers(dag, prefix, inputs, value)
            if "triggerPolicy" in task:
                condition = task["triggerPolicy"].get("condition", "")
                needs |= {made for key, made_by in bound.items() if f"'{key}'" in condition for made in made_by}
            needs |= {leaf for other in task.get("dependentTasks", []) for leaf in self._leaves(dag, prefix, other)}
            child = task["componentRef"]["name"]
            if "dag" in self._components[child]:
                self._walk(child, f"{prefix}{name}/", bound, needs)
                continue
            path = f"{prefix}{name}"
            self.components[path] = child.removeprefix("comp-").rstrip("-0123456789")
            self.needs[path] = needs.union(*bound.values())

    def _producers(
        self, dag: dict[str, Any], prefix: str, inputs: dict[str, set[str]], value: dict[str, Any]
    ) -> set[str]:
        if key := value.get("componentInputParameter") or value.get("componentInputArtifact"):
            return inputs.get(key, set())
        made = value.get("taskOutputParameter") or value.get("taskOutputArtifact")
        return self._leaves(dag, prefix, made["producerTask"]) if made else set()

    def _leaves(self, dag: dict[str, Any], prefix: str, task: str) -> set[str]:
        """The task itself, or every task inside it when it is a DAG."""
        child = dag["tasks"][task]["componentRef"]["name"]
        inner = self._components[child].get("dag")
        if inner is None:
            return {f"{prefix}{task}"}
        return {leaf for name in inner["tasks"] for leaf in self._leaves(inner, f"{prefix}{task}/", name)}


@pytest.fixture(scope="module")
def graph(spec) -> Graph:
    return Graph(spec)


def test_every_step_is_in_the_graph(graph):
    """All nine steps are there; evaluation and follow-up twice."""
    counted = {name: list(graph.components.values()).count(name) for name in set(graph.components.values())}
    expected = dict.fromkeys(("prepare-data", "finetune-lora", "compute-delta", "check-gate"), 1) | {
        "register-adapter": 1,
        "reject-adapter": 1,
        "publish-report": 1,
        "evaluate-safety": 2,
        "follow-up": 2,
    }
    assert counted == expected


def test_no_way_from_training_to_the_registry_avoids_the_gate(graph):
    """Every path, of data, order or condition, from finetune_lora to register_adapter goes through check_gate."""
    paths = list(graph.paths("finetune-lora", "register-adapter"))
    assert paths
    assert all("check-gate" in {graph.components[task] for task in path} for path in paths)


def test_the_check_of_paths_can_fail():
    """Handing the adapter from training straight to the registry is found."""
    graph = Graph.__new__(Graph)
    graph.components = {"train": "finetune-lora", "gate": "check-gate", "register": "register-adapter"}
    graph.needs = {"train": set(), "gate": {"train"}, "register": {"gate", "train"}}
    paths = list(graph.paths("finetune-lora", "register-adapter"))
    assert ("train", "register") in paths


def test_registration_is_conditional_on_the_decision(spec):
    """The branch that registers runs only when the gate returned exactly `promote`."""
    conditions = [
        task["triggerPolicy"]["condition"]
        for component in spec["components"].values()
        for task in component.get("dag", {}).get("tasks", {}).values()
        if "triggerPolicy" in task and "check-gate" in str(task["inputs"])
    ]
    yes, no = sorted(conditions, key=len)
    assert yes.endswith("== 'promote'")
    assert no == f"!({yes})"


def test_baseline_and_training_do_not_wait_for_each_other(graph):
    """The baseline evaluation and the fine-tuning can run at the same time."""
    baseline, tuning = (
        next(iter(graph.paths("prepare-data", "evaluate-safety")))[-1],
        next(iter(graph.paths("prepare-data", "finetune-lora")))[-1],
    )
    assert tuning not in graph.needs[baseline]
    assert baseline not in graph.needs[tuning]


def test_nothing_that_decides_is_cached(spec):
    """No task may be answered from KFP's cache."""
    cached = [
        name
        for component in (spec["root"], *spec["components"].values())
        for name, task in component.get("dag", {}).get("tasks", {}).items()
        if task.get("cachingOptions", {}).get("enableCache")
        and "dag" not in spec["components"][task["componentRef"]["name"]]
    ]
    assert cached == []


def test_the_report_is_the_exit_handler(spec):
    """publish_report runs whatever happened before."""
    task = spec["root"]["dag"]["tasks"]["publish-report"]
    assert task["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"


def test_only_steps_with_models_ask_for_a_gpu(spec):
    """A GPU is requested by evaluation, training and the follow-up that asks; by nothing else."""
    executors = spec["deploymentSpec"]["executors"]
    with_gpu = {
        name.removeprefix("exec-") for name, executor in executors.items()
        if "accelerator" in executor["container"].get("resources", {})
    }  # fmt: skip
    assert with_gpu == {"evaluate-safety", "evaluate-safety-2", "finetune-lora", "follow-up"}


def test_shards_answer_before_their_side_is_evaluated(loaded, tmp_path):
    """Three shards per side ask for a GPU each, and the evaluation of their side waits for all of them."""
    config, policy = loaded
    sharded = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"shards": 3})})
    target = tmp_path / "sharded.yaml"
    Compiler().compile(build(sharded, policy), str(target))
    spec = next(yaml.safe_load_all(target.read_text()))
    graph = Graph(spec)
    shards = [task for task, component in graph.components.items() if component == "answer-prompts"]
    waited = [
        {need for need in graph.needs[task] if need in shards}
        for task, component in graph.components.items()
        if component == "evaluate-safety"
    ]
    assert len(shards) == 6
    assert [len(own) for own in waited] == [3, 3]
    assert set.union(*waited) == set(shards)
    with_gpu = [name for name, own in spec["deploymentSpec"]["executors"].items() if "accelerator" in str(own)]
    assert sum(name.startswith("exec-answer-prompts") for name in with_gpu) == 6


MANGLED = ("'", "python3", "{{", "$")


@given(words=st.lists(st.sampled_from([*MANGLED, "{", "}}", "\\", '"', "\\u0027", "python", "3", " é\n"]), max_size=12))
def test_config_texts_survive_every_runner(loaded, words):
    """What a local run, Argo or Kubernetes would mangle is escaped, and the JSON value stays the same."""
    config, policy = loaded
    evaluation = config.evaluation.model_copy(update={"system_prompt": "".join(words)})
    text = config_texts(config.model_copy(update={"evaluation": evaluation}), policy).evaluation
    assert [own for own in MANGLED if own in text] == []
    assert type(evaluation).model_validate_json(text) == evaluation


def test_a_locked_policy_is_no_parameter_of_the_pipeline(loaded, tmp_path):
    """Its text is built into every task that needs it, so that no run can replace it."""
    config, policy = loaded
    target = tmp_path / "locked.yaml"
    Compiler().compile(build(config, policy.model_copy(update={"locked": True})), str(target))
    spec = next(yaml.safe_load_all(target.read_text()))
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert "policy" not in parameters
    assert {"recipe", "evaluation", "registry"} <= set(parameters)
    given = [
        value
        for component in spec["components"].values()
        for task in component.get("dag", {}).get("tasks", {}).values()
        for name, value in task.get("inputs", {}).get("parameters", {}).items()
        if name == "policy"
    ]
    assert len(given) >= 4
    assert all('"locked":true' in own["runtimeValue"]["constant"] for own in given)
