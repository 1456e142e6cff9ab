"""The example configs for real models: they load, fit together and compile, as far as seen without weights."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from components.shared.config.reading import load_pipeline_config
from components.shared.errors import ConfigError
from components.shared.suites.suite_files import load_suites
from pipelines.cluster.package import compile_package
from pipelines.running.launch import load
from pipelines.running.preflight import check_categories
from tests.pipelines.conftest import chat
from tests.support.shipped_configs import filled_in

EXAMPLES = ("llama-3-8b-claim", "parquet-guard", "qwen3-8b-support")
AWAY = ("--set", "tracking.uri=http://127.0.0.1:9")
S3_SUITES, CLAIM_SUITES = "s3://my-bucket/suites/", "/data/suites/"


@pytest.fixture(autouse=True)
def in_the_project(root, monkeypatch):
    monkeypatch.chdir(root)


def path_of(name: str) -> Path:
    return Path(f"configs/pipelines/{name}.yaml")


def load_example(name: str, *overrides: str):
    return load(str(path_of(name)), [*filled_in(path_of(name)), *overrides])


def pods(name: str) -> dict[str, Any]:
    package = compile_package(load_example(name))
    executors = package.platform_spec["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {step.removeprefix("exec-"): pod for step, pod in executors.items()}


def test_all_configs_are_known_here():
    """A new config is either the demo's or gets its tests."""
    names = sorted(path.stem for path in Path("configs/pipelines").glob("*.yaml"))
    assert names == sorted([*EXAMPLES, "demo-careful", "demo-careless"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_policy_and_suites_fit(name: str):
    """Every category of the suites has its place in the policy; suites are copies of the shipped ones."""
    config, policy = load_example(name)
    shipped = [
        suite.replace(S3_SUITES, "configs/suites/").replace(CLAIM_SUITES, "configs/suites/") for suite in config.suites
    ]
    check_categories(config, policy, load_suites(shipped))


def test_the_commit_must_be_filled_in():
    """The placeholder is refused with the command that prints the commit."""
    with pytest.raises(ConfigError, match=r"revision: got '<commit>'; is a placeholder; .*git ls-remote"):
        load_pipeline_config(str(path_of("qwen3-8b-support")))


@pytest.mark.parametrize("name", ["llama-3-8b-claim", "qwen3-8b-support"])
def test_a_cluster_sees_every_address(name: str, capsys):
    """Every address is in S3 or on a mounted claim, so nothing is warned of."""
    from pipelines.cluster.options import warn_of_local_addresses

    warn_of_local_addresses(load_example(name).config)
    assert capsys.readouterr().err == ""


def test_the_cluster_settings_of_the_s3_example_land_on_its_pods():
    """GPU steps get the model cache and tolerate GPU nodes; every step gets the keys of the bucket."""
    settings = pods("qwen3-8b-support")
    assert all(pod["secretAsEnv"][0]["secretName"] == "plimsoll-s3" for pod in settings.values())
    cached = {step for step, pod in settings.items() if "pvcMount" in pod}
    assert cached == {step for step, pod in settings.items() if "tolerations" in pod}
    assert {"finetune-lora", "evaluate-safety", "follow-up"} <= cached
    assert settings["finetune-lora"]["pvcMount"][0]["mountPath"] == "/models"


def test_the_claims_of_the_claim_example_land_on_its_pods():
    """Every step mounts both claims, and runs as the user who may write to them."""
    for pod in pods("llama-3-8b-claim").values():
        assert [mount["mountPath"] for mount in pod["pvcMount"]] == ["/models", "/data"]
        assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsNonRoot"]) == ("10001", True)


def test_a_machine_without_the_claims_compiles_the_claim_example(call, tmp_path):
    """What is on claims is said, a line each; the pipeline is written."""
    called = call("compile", path_of("llama-3-8b-claim"), "-o", tmp_path / "p.yaml", *AWAY)
    assert called.code == 0, called.err
    skipped = [line for line in called.err.splitlines() if line.startswith("not checked: ")]
    assert [line.split(": ")[1] for line in skipped] == [
        "suites and policy",
        "base model",
        "data",
        "store",
        "audit log",
        "MLflow",
    ]
    assert "is on the claim plimsoll-data, which is not mounted on this machine" in skipped[0]


@pytest.mark.usefixtures("bucket")
def test_the_s3_example_passes_with_its_files_in_the_bucket(call, tmp_path, root, monkeypatch):
    """With rows and suites in S3 all of it is checked but the hub and MLflow, which are away."""
    from components.shared import storage

    client = storage._client()
    client.create_bucket(Bucket="my-bucket")
    for file in (root / "configs/suites").glob("*.*"):
        storage.put_text(file.read_text(), f"{S3_SUITES}{file.name}")
    for name, rows in (("train", 300), ("safety", 60)):
        text = "".join(f"{json.dumps(chat(f'{name} question {n}', f'answer {n}'))}\n" for n in range(rows))
        storage.put_text(text, f"s3://my-bucket/support/{name}.jsonl")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    path = path_of("qwen3-8b-support")
    overrides = [part for each in filled_in(path) for part in ("--set", each)]
    called = call("compile", path, "-o", tmp_path / "p.yaml", *overrides, *AWAY)
    assert called.code == 0, called.err
    skipped = [line.split(": ")[1] for line in called.err.splitlines() if line.startswith("not checked: ")]
    assert skipped == ["base model", "MLflow"]


def test_the_parquet_example_passes_with_its_files(call, root, tmp_path, tiny_base, monkeypatch):
    """With a table, a base model and a guard in place the whole preflight passes."""
    import pyarrow
    from pyarrow import parquet

    monkeypatch.chdir(tmp_path)
    shutil.copytree(root / "configs", tmp_path / "configs")
    (tmp_path / "models").mkdir()
    for name in ("Qwen2.5-7B-Instruct", "guard"):
        (tmp_path / "models" / name).symlink_to(tiny_base)
    (tmp_path / "data").mkdir()
    table = pyarrow.table({"question": [f"ask {n}" for n in range(150)], "reply": [f"say {n}" for n in range(150)]})
    parquet.write_table(table, tmp_path / "data/tickets.parquet")
    called = call("config", "check", path_of("parquet-guard"))
    assert called.code == 0, called.err
    assert (
        "data: 150 task (prompt_completion) rows, none of them a suite prompt; 50 to train on, 100 held out"
        in called.out
    )
