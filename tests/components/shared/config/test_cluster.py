"""The section `cluster:` of a config."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from components.shared.config import cluster
from components.shared.config.cluster import ClusterConfig, GpuPlace, Retries


def _config(**fields: Any) -> ClusterConfig:
    return ClusterConfig.model_validate_json(json.dumps(fields))


def test_everything_has_a_default():
    """An empty section is a whole one: one GPU for steps with a model, none of anything that names a site."""
    config = _config()
    assert (config.gpu.accelerator, config.gpu.count, config.gpu.memory, config.cpu.memory) == (
        "nvidia.com/gpu",
        1,
        "64Gi",
        "4Gi",
    )
    assert (config.secrets, config.volumes, config.host, config.service_account) == ((), (), None, None)
    assert config.user.non_root
    assert config.retries.window_s > config.gpu.timeout_s


def test_every_field_is_described():
    """No field of the section and its parts is without a word on what it does."""
    models = [model for model in vars(cluster).values() if isinstance(model, type) and issubclass(model, BaseModel)]
    bare = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert (len(models) > 5, bare) == (True, [])


@pytest.mark.parametrize(
    "fields",
    [
        {"gpu": {"memory": "lots"}},
        {"gpu": {"cpu": "four"}},
        {"gpu": {"accelerator": "gpu"}},
        {"gpu": {"count": 0}},
        {"cpu": {"count": 1}},
        {"cpu": {"node_affinity": {"nodeSelectorTerms": []}}},
        {"cpu": {"tolerations": [{"operator": "Equal", "value": "x"}]}},
        {"cpu": {"tolerations": [{"key": "k", "operator": "Exists", "value": "x"}]}},
        {"secrets": [{"name": "Bad_Name", "keys": {"a": "A"}}]},
        {"secrets": [{"name": "s", "keys": {}}]},
        {"secrets": [{"name": "s", "keys": {"a": "NOT-A-VARIABLE"}}]},
        {"volumes": [{"claim": "c", "path": "relative"}]},
        {"user": {"user": 0}},
        {"cached_steps": ["check_gate"]},
        {"host": "kubeflow.example.org"},
        {"token": "secret"},
    ],
)
def test_what_no_cluster_takes_is_refused(fields):
    """Quantities, names, variables and paths are checked when the config is read; what decides is never cached."""
    with pytest.raises(ValidationError):
        _config(**fields)


def test_a_gpu_step_can_be_all_that_is_set():
    """Parts keep their other defaults."""
    config = _config(gpu={"accelerator": "amd.com/gpu", "count": 2}, retries={"count": 0})
    assert config.gpu == GpuPlace(accelerator="amd.com/gpu", count=2)
    assert config.retries == Retries(count=0)
