"""The compiled graph of every shipped config, as KFP would run it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kfp.compiler import Compiler

from components.shared.config.reading import load_pipeline_config, load_policy
from pipelines.safety_gate import build, config_texts
from tests.support.compiled_graph import Graph, listing
from tests.support.shipped_configs import filled_in

CONFIGS = sorted((Path(__file__).parents[2] / "configs/pipelines").glob("*.yaml"))
LISTING = Path(__file__).with_name("safety_gate.txt")
"""Every task with its image, its condition and the arrows into it; compared for each shipped config."""


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda path: path.stem)
def loaded(root, request):
    config = load_pipeline_config(str(request.param), filled_in(request.param))
    return config, load_policy(str(root / config.policy))


def compiled(config, policy, target: Path) -> dict[str, Any]:
    Compiler().compile(build(config, policy), str(target))
    return next(yaml.safe_load_all(target.read_text()))


@pytest.fixture(scope="module")
def spec(loaded, tmp_path_factory) -> dict[str, Any]:
    return compiled(*loaded, tmp_path_factory.mktemp("compiled") / "pipeline.yaml")


@pytest.fixture(scope="module")
def graph(spec) -> Graph:
    return Graph(spec)


def test_the_graph_is_the_one_that_is_listed(graph):
    """Every shipped config compiles to the tasks, images, conditions and arrows of safety_gate.txt."""
    assert listing(graph) == LISTING.read_text()


def test_every_parameter_is_a_section_of_the_config_and_described(loaded, spec):
    """The parameters' defaults are the config's sections as JSON, and Kubeflow's UI has a sentence for each."""
    config, policy = loaded
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    values = {name: parameter["defaultValue"] for name, parameter in parameters.items()}
    sections = ("base_model", "data", "evaluation", "recipe", "registry", "tracking", "checkpoints")
    expected = {name: getattr(config, name).model_dump(mode="json") for name in sections}
    expected |= {"policy": policy.model_dump(mode="json"), "suites": list(config.suites)}
    assert {name: json.loads(values.pop(name)) for name in expected} == expected
    assert values == {"store": config.store, "store_key_env": config.store_key_env or "", "reuse": config.reuse}
    assert [name for name, parameter in parameters.items() if not parameter.get("description")] == []
    assert spec["pipelineInfo"]["name"] == f"plimsoll-{config.name}"
    assert "registers the adapter only if it did not become less safe" in spec["pipelineInfo"]["description"]


def test_the_compiled_graph_names_the_stores_key_and_does_not_hold_it(loaded, tmp_path, monkeypatch):
    """Whoever reads the YAML learns the variable's name."""
    config, policy = loaded
    monkeypatch.setenv("STORE_KEY", "5f0c2f6e9d6b4a1c8e7d3b2a19080706")
    target = tmp_path / "pipeline.yaml"
    spec = compiled(config.model_copy(update={"store_key_env": "STORE_KEY"}), policy, target)
    assert spec["root"]["inputDefinitions"]["parameters"]["store_key_env"]["defaultValue"] == "STORE_KEY"
    assert "5f0c2f6e" not in target.read_text()


def test_every_task_runs_its_step_for_this_run(loaded, graph):
    """Each container executes the function of its component, and gets the pipeline's name and the run's id."""
    config, _ = loaded
    for task in graph.tasks.values():
        arguments = task.container["args"]
        function = arguments[arguments.index("--function_to_execute") + 1]
        assert function == task.component.replace("-", "_")
        named = [graph.shown(*task.inputs[key]) for key in ("pipeline", "pipeline_run")]
        assert [json.loads(value) for value in named] == [config.name, "{{$.pipeline_job_uuid}}"]


def test_every_step_is_retried_as_the_config_says(loaded, graph):
    """A shipped config's tasks are all tried again, with a growing wait."""
    config, _ = loaded
    retries = config.cluster.retries
    expected = {
        "maxRetryCount": retries.count,
        "backoffDuration": f"{retries.first_wait_s}s",
        "backoffFactor": retries.factor,
        "backoffMaxDuration": f"{retries.window_s}s",
    }
    assert [task.name for task in graph.tasks.values() if task.settings["retryPolicy"] != expected] == []


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
    spec = compiled(sharded, policy, tmp_path / "sharded.yaml")
    graph = Graph(spec)
    shards = [task for task, component in graph.components.items() if component == "answer-prompts"]
    waited = [
        {need for need in graph.needs[task] if need in shards}
        for task, component in graph.components.items()
        if component == "evaluate-safety"
    ]
    assert len(shards) == 6
    assert [len(shards_of_side) for shards_of_side in waited] == [3, 3]
    assert set.union(*waited) == set(shards)
    executors = spec["deploymentSpec"]["executors"]
    with_gpu = [name for name, executor in executors.items() if "accelerator" in str(executor)]
    assert sum(name.startswith("exec-answer-prompts") for name in with_gpu) == 6


MANGLED = ("'", "python3", "{{", "$")


@given(words=st.lists(st.sampled_from([*MANGLED, "{", "}}", "\\", '"', "\\u0027", "python", "3", " é\n"]), max_size=12))
def test_config_texts_survive_every_runner(loaded, words):
    """What a local run, Argo or Kubernetes would mangle is escaped, and the JSON value stays the same."""
    config, policy = loaded
    evaluation = config.evaluation.model_copy(update={"system_prompt": "".join(words)})
    text = config_texts(config.model_copy(update={"evaluation": evaluation}), policy).evaluation
    assert [mangled for mangled in MANGLED if mangled in text] == []
    assert type(evaluation).model_validate_json(text) == evaluation


def test_a_locked_policy_is_no_parameter_of_the_pipeline(loaded, tmp_path):
    """Its text is built into every task that needs it, so that no run can replace it."""
    config, policy = loaded
    spec = compiled(config, policy.model_copy(update={"locked": True}), tmp_path / "locked.yaml")
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert "policy" not in parameters
    assert {"recipe", "evaluation", "registry"} <= set(parameters)
    values = [
        value
        for component in spec["components"].values()
        for task in component.get("dag", {}).get("tasks", {}).values()
        for name, value in task.get("inputs", {}).get("parameters", {}).items()
        if name == "policy"
    ]
    assert len(values) >= 4
    assert all('"locked":true' in value["runtimeValue"]["constant"] for value in values)
