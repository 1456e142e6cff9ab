"""What each step gets on a cluster, read from the compiled pipeline."""

from pathlib import Path
from typing import Any

import pytest

from components.images import CPU_IMAGE, GPU_IMAGE
from components.shared.config.cluster import ClusterConfig
from pipelines.cluster.package import Package, compile_package, parse_package
from pipelines.running.launch import Loaded, load

ROOT = Path(__file__).parents[2]
WITH_GPU = {"evaluate-safety", "evaluate-safety-2", "finetune-lora", "follow-up"}
WITH_TORCH = {*WITH_GPU, "follow-up-2"}
EVERYTHING = {
    "service_account": "pipeline-runner",
    "gpu": {
        "cpu": "4",
        "memory": "32Gi",
        "shared_memory": "16Gi",
        "accelerator": "nvidia.com/mig-3g.40gb",
        "count": 2,
        "node_selector": {"pool": "gpu"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "node_affinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "gpu", "operator": "In", "values": ["h100"]}]}]
            }
        },
        "timeout_s": 7200,
    },
    "cpu": {"cpu": "500m", "memory": "2Gi", "timeout_s": None},
    "env": {"AWS_ENDPOINT_URL": "https://s3.example.org"},
    "secrets": [{"name": "s3-keys", "keys": {"id": "AWS_ACCESS_KEY_ID", "key": "AWS_SECRET_ACCESS_KEY"}}],
    "config_maps": [{"name": "site", "keys": {"region": "AWS_DEFAULT_REGION"}, "optional": True}],
    "model_cache": {"claim": "model-cache", "path": "/models"},
    "checkpoints": {"claim": "checkpoints", "path": "/checkpoints", "sub_path": "plimsoll"},
    "volumes": [{"claim": "store", "path": "/store"}],
    "retries": {"count": 3, "first_wait_s": 10, "factor": 3.0, "window_s": 100_000},
    "cached_steps": ["finetune_lora"],
    "labels": {"team": "safety"},
    "annotations": {"sidecar.istio.io/inject": "false"},
    "user": {"user": 1000, "group": 2000},
    "image_pull_secrets": ["registry"],
    "ttl_s": 600,
    "run_timeout_s": 90_000,
}


def _package(cluster: dict[str, Any]) -> Package:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(ROOT)
        loaded = load("configs/pipelines/demo-careful.yaml")
        return compile_package(
            Loaded(
                loaded.config.model_copy(
                    update={"cluster": ClusterConfig.model_validate(cluster, strict=False)},
                ),
                loaded.policy,
            )
        )


@pytest.fixture(scope="module")
def plain() -> Package:
    return _package({})


@pytest.fixture(scope="module")
def rich() -> Package:
    return _package(EVERYTHING)


def _containers(package: Package) -> dict[str, dict[str, Any]]:
    executors = package.pipeline_spec["deploymentSpec"]["executors"]
    return {name.removeprefix("exec-"): executor["container"] for name, executor in executors.items()}


def _pods(package: Package) -> dict[str, dict[str, Any]]:
    executors = package.platform_spec["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {name.removeprefix("exec-"): pod for name, pod in executors.items()}


def _tasks(package: Package) -> dict[str, dict[str, Any]]:
    spec = package.pipeline_spec
    dags = [spec["root"], *spec["components"].values()]
    tasks = {name: task for component in dags for name, task in component.get("dag", {}).get("tasks", {}).items()}
    return {name: tasks[name] for name in package.tasks()}


def test_every_executor_has_a_pod_and_an_image(plain):
    """Each executor has settings of its pod, and the image that its component needs."""
    images = {name: container["image"] for name, container in _containers(plain).items()}
    assert set(_pods(plain)) == set(images)
    assert images == {name: GPU_IMAGE if name in WITH_TORCH else CPU_IMAGE for name in images}


def test_a_pod_gets_the_defaults_and_no_more(plain):
    """Without a section `cluster`, a pod has a time limit, a user that is not root, our labels and a GPU's memory."""
    for step, kind, seconds in (("finetune_lora", "gpu", "86400"), ("check_gate", "cpu", "3600")):
        pod = dict(_pods(plain)[step.replace("_", "-")])
        memory = pod.pop("emptyDirMounts", [])
        assert [mount["sizeLimit"] for mount in memory] == (["8Gi"] if kind == "gpu" else [])
        assert pod == {
            "activeDeadlineSeconds": seconds,
            "imagePullPolicy": "IfNotPresent",
            "podMetadata": {
                "labels": {
                    "app.kubernetes.io/name": "plimsoll",
                    "plimsoll/pipeline": "demo-careful",
                    "plimsoll/step": step,
                    "plimsoll/kind": kind,
                }
            },
            "securityContext": {"runAsNonRoot": True},
        }
    resources = {name: _containers(plain)[name]["resources"] for name in ("finetune-lora", "check-gate")}
    sizes = {name: (each["resourceCpuLimit"], each["resourceMemoryLimit"]) for name, each in resources.items()}
    assert sizes == {"finetune-lora": ("8", "64Gi"), "check-gate": ("1", "4Gi")}
    assert resources["finetune-lora"]["accelerator"]["resourceCount"] == "1"


@pytest.mark.parametrize("which", ["plain", "rich"])
def test_only_gpu_steps_get_a_gpu_and_what_belongs_to_it(which, request):
    """A GPU, a larger /dev/shm and the GPU nodes' tolerations go to evaluation, training and follow-up only."""
    package = request.getfixturevalue(which)
    assert {
        name for name, container in _containers(package).items() if "accelerator" in container["resources"]
    } == WITH_GPU
    assert {name for name, pod in _pods(package).items() if "emptyDirMounts" in pod} == WITH_GPU
    assert {name for name, pod in _pods(package).items() if "tolerations" in pod} == (
        WITH_GPU if which == "rich" else set()
    )


def test_resources_are_those_of_the_config(rich):
    """CPU, memory, type and number of GPUs, selector, toleration, affinity and timeout are as written."""
    gpu, cpu = _containers(rich)["finetune-lora"]["resources"], _containers(rich)["check-gate"]["resources"]
    assert gpu["accelerator"] == {
        "type": "nvidia.com/mig-3g.40gb",
        "count": "2",
        "resourceType": "nvidia.com/mig-3g.40gb",
        "resourceCount": "2",
    }
    assert (gpu["resourceCpuLimit"], gpu["resourceMemoryRequest"]) == ("4", "32Gi")
    assert (cpu["resourceCpuRequest"], cpu["resourceMemoryLimit"]) == ("500m", "2Gi")
    pod = _pods(rich)["finetune-lora"]
    assert pod["nodeSelector"] == {"labels": {"pool": "gpu"}}
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    affinity = pod["nodeAffinity"][0]["nodeAffinityJson"]["runtimeValue"]["constant"]
    assert affinity == EVERYTHING["gpu"]["node_affinity"]
    assert pod["activeDeadlineSeconds"] == "7200"
    assert pod["emptyDirMounts"][0] == {
        "volumeName": "shared-memory",
        "mountPath": "/dev/shm",  # noqa: S108 - where a container has its shared memory
        "medium": "Memory",
        "sizeLimit": "16Gi",
    }
    assert "activeDeadlineSeconds" not in _pods(rich)["check-gate"]


def test_every_pod_has_the_secrets_labels_and_user(rich):
    """Secrets, config maps, plain variables, labels, annotations, user and pull secrets are on every pod."""
    for name, pod in _pods(rich).items():
        secret = pod["secretAsEnv"][0]
        assert secret["secretName"] == "s3-keys"
        assert {key["secretKey"]: key["envVar"] for key in secret["keyToEnv"]} == EVERYTHING["secrets"][0]["keys"]
        assert pod["configMapAsEnv"][0]["configMapName"] == "site"
        assert pod["configMapAsEnv"][0]["optional"] is True
        labels = pod["podMetadata"]["labels"]
        assert labels["team"] == "safety"
        assert labels["app.kubernetes.io/name"] == "plimsoll"
        assert labels["plimsoll/pipeline"] == "demo-careful"
        assert name.startswith(labels["plimsoll/step"].replace("_", "-"))
        assert labels["plimsoll/kind"] == ("gpu" if name in WITH_GPU else "cpu")
        assert pod["podMetadata"]["annotations"] == {"sidecar.istio.io/inject": "false"}
        assert pod["securityContext"] == {"runAsUser": "1000", "runAsGroup": "2000", "runAsNonRoot": True}
        assert pod["imagePullSecret"][0]["secretName"] == "registry"
    for container in _containers(rich).values():
        assert {"name": "AWS_ENDPOINT_URL", "value": "https://s3.example.org"} in container["env"]


def test_volumes_go_where_they_are_needed(rich):
    """Models and checkpoints are mounted in GPU steps, with HF_HOME on the first; the store is mounted everywhere."""
    mounts = {name: {mount["mountPath"] for mount in pod["pvcMount"]} for name, pod in _pods(rich).items()}
    for name, paths in mounts.items():
        assert paths == ({"/store", "/models", "/checkpoints"} if name in WITH_GPU else {"/store"})
        named = {"name": "HF_HOME", "value": "/models"} in _containers(rich)[name]["env"]
        assert named == (name in WITH_GPU)


def test_retries_and_caching_are_per_task(rich, plain):
    """Every step is retried with a growing wait; only the steps that the config names may be cached."""
    for name, task in _tasks(rich).items():
        assert task["retryPolicy"] == {
            "maxRetryCount": 3,
            "backoffDuration": "10s",
            "backoffFactor": 3.0,
            "backoffMaxDuration": "100000s",
        }
        assert bool(task["cachingOptions"].get("enableCache")) == (name == "finetune-lora")
    assert not any(task["cachingOptions"] for task in _tasks(plain).values())


def test_a_run_is_kept_and_ended_as_the_config_says(rich, plain):
    """Time to live and the longest time of a run are settings of the whole pipeline; by default there are none."""
    config = rich.platform_spec["platforms"]["kubernetes"]["pipelineConfig"]
    assert config == {"resourceTtlOnCompletion": 600, "activeDeadlineSeconds": 90000}
    assert "pipelineConfig" not in plain.platform_spec["platforms"]["kubernetes"]


def test_images_can_be_named_in_the_config():
    """A config's images replace the project's by what a component needs, also where it runs without a GPU."""
    package = _package({"gpu": {"image": "registry.example.org/gpu@sha256:1"}, "cpu": {"image": "other:2"}})
    images = {name: container["image"] for name, container in _containers(package).items()}
    assert images == {name: "registry.example.org/gpu@sha256:1" if name in WITH_TORCH else "other:2" for name in images}


def test_nothing_about_the_cluster_is_a_parameter(rich):
    """Whoever starts a run cannot change what its pods get."""
    parameters = rich.pipeline_spec["root"]["inputDefinitions"]["parameters"]
    assert not [name for name in parameters if "cluster" in name]
    assert parse_package(rich.text) == rich


def test_a_local_run_gets_none_of_it(monkeypatch):
    """Built for this machine, the same config has no retries (their waiting would really sleep) and no pods."""
    from pipelines.safety_gate import build

    monkeypatch.chdir(ROOT)
    loaded = load("configs/pipelines/demo-careful.yaml")
    cluster = ClusterConfig.model_validate(EVERYTHING, strict=False)
    component = build(loaded.config.model_copy(update={"cluster": cluster}), loaded.policy, "20260101-000000-abcd")
    assert "retryPolicy" not in str(component.pipeline_spec)
    assert "accelerator" not in str(component.pipeline_spec)
    assert "secretAsEnv" not in str(component.platform_spec)
