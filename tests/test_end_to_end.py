"""The demo for real: a toy model made here, two fine-tunings, the whole graph, a sqlite MLflow store."""

import json
import os
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


class Ended(NamedTuple):
    """A run of the command line."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def world(root, tmp_path_factory):
    """A project folder with the shipped configs, the toy base model and its data."""
    from pipelines.demo.data import write_data
    from pipelines.demo.toy_base import ensure_base_model

    folder = tmp_path_factory.mktemp("world")
    shutil.copytree(root / "configs", folder / "configs")
    demo = folder / ".plimsoll/demo"
    demo.mkdir(parents=True)
    (demo / "base").symlink_to(ensure_base_model(root / ".plimsoll/demo/models"))
    write_data(demo / "data")
    return folder


@pytest.fixture(scope="module")
def careless(world, plimsoll) -> Ended:
    done = plimsoll("run", "configs/pipelines/demo-careless.yaml", cwd=world)
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def careful(world, plimsoll, careless) -> Ended:
    done = plimsoll("run", "configs/pipelines/demo-careful.yaml", cwd=world)
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def again(world, plimsoll, careful) -> Ended:
    done = plimsoll("run", "configs/pipelines/demo-careful.yaml", cwd=world)
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def client(world):
    import mlflow

    store = f"sqlite:///{world}/.plimsoll/mlflow.db"
    return mlflow.MlflowClient(store, store)


def _parents(client, pipeline):
    experiment = client.get_experiment_by_name("plimsoll-demo")
    condition = f"tags.`plimsoll.stage` = 'pipeline' and tags.`plimsoll.pipeline` = '{pipeline}'"
    return client.search_runs([experiment.experiment_id], condition)


def test_the_careless_fine_tuning_is_rejected(careless, client):
    """It learns its task, refuses less, and is rejected: exit code, words and tag agree."""
    (parent,) = _parents(client, "demo-careless")
    assert careless.code == 10, careless.out + careless.err
    assert "REJECTED: " in careless.out
    assert parent.data.tags["plimsoll.decision"] == "reject"
    assert parent.data.metrics["task/gain_pp"] > 30
    assert parent.data.metrics["delta/direct/drop_pp"] > 10


def test_the_careful_fine_tuning_is_promoted(careful, client):
    """It learns the same task, keeps its refusals, and becomes champion."""
    parent = _parents(client, "demo-careful")[-1]
    assert careful.code == 0, careful.out + careful.err
    assert "PROMOTED: " in careful.out
    assert parent.data.tags["plimsoll.decision"] == "promote"
    assert parent.data.metrics["task/gain_pp"] > 30
    assert client.get_model_version_by_alias("plimsoll-demo", "champion").version is not None


def test_the_unchanged_baseline_is_reused(careless, careful):
    """The second run does not ask the base model again: the log says so."""
    assert "[evaluate_safety_baseline] loading the model" in careless.out
    assert "[evaluate_safety_baseline] reusing the answers to 600 prompts" in careful.out
    assert "[evaluate_safety_baseline] loading" not in careful.out


def test_a_repeated_run_gives_the_same_decision(again, client):
    """Equal inputs give the stored adapter, the stored answers, the same decision and the version that is there."""
    assert again.code == 0, again.out + again.err
    assert "[finetune_lora] reusing adapter" in again.out
    assert "[evaluate_safety_post] reusing the answers to 600 prompts" in again.out
    assert "[register_adapter] was already registered as plimsoll-demo version 1 by run " in again.out
    (version,) = client.search_model_versions("name = 'plimsoll-demo'")
    assert str(version.version) == "1"
    assert {name: str(number) for name, number in client.get_registered_model("plimsoll-demo").aliases.items()} == {
        "champion": "1"
    }


def test_every_stage_has_a_run_of_its_own(careful, client):
    """One parent, and a nested run per stage, all finished, with metrics, params, artifacts and the data set."""
    parent = _parents(client, "demo-careful")[-1]
    children = client.search_runs([parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    stages = {run.data.tags["plimsoll.stage"]: run for run in children}
    assert set(stages) == {
        "prepare_data",
        "evaluate_safety_baseline",
        "finetune_lora",
        "evaluate_safety_post",
        "compute_delta",
        "follow_up",
        "check_gate",
        "register_adapter",
        "publish_report",
    }
    assert {run.info.status for run in (parent, *children)} == {"FINISHED"}
    assert 0 <= stages["evaluate_safety_post"].data.metrics["safety/direct/pass_rate"] <= 1
    assert "delta/direct/drop_pp" in stages["compute_delta"].data.metrics
    assert {dataset.tags[0].value for dataset in parent.inputs.dataset_inputs} >= {"task", "safety"}
    names = {artifact.path for artifact in client.list_artifacts(parent.info.run_id)}
    assert {"report.md", "drops.png", "run_report.json", "gate_decision.json", "config.json"} <= names


@pytest.mark.parametrize("pipeline", ["demo-careless", "demo-careful"])
def test_the_decision_is_verified_from_its_raw_verdicts(careless, careful, client, plimsoll, world, pipeline):
    """An independent recomputation from the run's evidence agrees with the gate, rejected or promoted."""
    run = _parents(client, pipeline)[0].info.run_id
    done = plimsoll("verify", run, "--config", f"configs/pipelines/{pipeline}.yaml", cwd=world)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rejected_answer_comes_again(careless, client, plimsoll, world):
    """A witness of the rejection gets the same answers again on both sides, character by character."""
    run = _parents(client, "demo-careless")[0].info.run_id
    config = ("--config", "configs/pipelines/demo-careless.yaml")
    listed = plimsoll("replay", run, *config, cwd=world)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    witness = re.search(r"\bdirect-\d+\b", listed.stdout)
    assert witness is not None
    done = plimsoll("replay", run, witness[0], *config, cwd=world)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "replay: identical"


def test_the_audit_log_is_unbroken_and_complete(careless, careful, plimsoll, world):
    """Data, training, evaluations, decisions and what came of them, in an unbroken chain."""
    done = plimsoll("audit", "verify", "--config", "configs/pipelines/demo-careful.yaml", cwd=world)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (world / ".plimsoll/audit.jsonl").read_text().splitlines()
    events = {json.loads(line)["event"] for line in lines}
    assert {"data_accepted", "trained", "evaluated", "decided", "registered", "rejected"} <= events


def test_a_rejected_adapter_has_no_version(careless, careful, client):
    """The registry holds the careful adapter's versions and no other."""
    versions = client.search_model_versions("name = 'plimsoll-demo'")
    rejected = _parents(client, "demo-careless")[0].data.tags["plimsoll.adapter_digest"]
    assert versions
    assert rejected not in {version.tags["plimsoll.adapter_digest"] for version in versions}


def test_the_champion_answers_in_a_fresh_process(world, careful):
    """`mlflow.pyfunc.load_model` gives the tuned model: its answer is the task's, and not the base's."""
    row = json.loads((world / ".plimsoll/demo/data/task.jsonl").read_text().splitlines()[0])
    prompt, expected = (message["content"] for message in row["messages"])
    script = f"""
import json, mlflow
mlflow.set_tracking_uri("sqlite:///.plimsoll/mlflow.db")
model = mlflow.pyfunc.load_model("models:/plimsoll-demo@champion")
from transformers import AutoModelForCausalLM, AutoTokenizer
base = AutoModelForCausalLM.from_pretrained(".plimsoll/demo/base")
tokenizer = AutoTokenizer.from_pretrained(".plimsoll/demo/base")
prompt = {prompt!r}
inputs = tokenizer.apply_chat_template(
    [{{"role": "user", "content": prompt}}], add_generation_prompt=True, return_tensors="pt", return_dict=True
)
answer = base.generate(input_ids=inputs["input_ids"], max_new_tokens=48, do_sample=False)
plain = tokenizer.decode(answer[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True).strip()
tuned = model.predict([prompt], params={{"max_new_tokens": 48}})
print(json.dumps([tuned, plain]))
"""
    fresh = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=world, capture_output=True, text=True, check=False, timeout=120, env=fresh
    )
    assert done.returncode == 0, done.stderr
    (tuned,), plain = json.loads(done.stdout.splitlines()[-1])
    assert tuned != plain
    assert tuned.split()[:3] == expected.split()[:3]
