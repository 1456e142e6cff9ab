"""Every shipped config, compiled, beside what it compiled to before.

To renew the golden files after a wanted change:  UPDATE_GOLDEN=1 pytest tests/pipelines/test_golden.py
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.images import CPU_IMAGE, GPU_IMAGE
from pipelines.cluster.package import Package, compile_package, parse_package
from pipelines.cluster.server_errors import ClusterError
from pipelines.running.launch import load

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
CONFIGS = sorted((ROOT / "configs/pipelines").glob("*.yaml"))
RENEW = "UPDATE_GOLDEN=1 pytest tests/pipelines/test_golden.py"


def _compiled(config: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    monkeypatch.chdir(ROOT)
    return compile_package(load(str(config.relative_to(ROOT))))


def _comparable(package: Package) -> dict[str, Any]:
    """Without what changes by itself: versions, image references, and the source text of the components."""
    body = json.loads(json.dumps(package.body))
    spec = body["pipeline_spec"]
    del spec["sdkVersion"]
    for executor in spec["deploymentSpec"]["executors"].values():
        container = executor["container"]
        arguments = container.pop("args")
        del container["command"]
        container["function"] = arguments[arguments.index("--function_to_execute") + 1]
        container["image"] = {CPU_IMAGE: "<the CPU image>", GPU_IMAGE: "<the GPU image>"}[container["image"]]
    for own in spec["root"]["inputDefinitions"]["parameters"].values():
        value = own.get("defaultValue")
        if isinstance(value, str) and value[:1] in "[{":
            own["defaultValue"] = json.loads(value)
    return body


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_shipped_config_compiles_to_its_golden_file(config, monkeypatch):
    """The graph, the parameters and what every pod gets are what they were, whatever order they are written in."""
    found = _comparable(_compiled(config, monkeypatch))
    golden = GOLDEN / config.name
    if os.environ.get("UPDATE_GOLDEN"):
        what = f"# What configs/pipelines/{config.name} compiles to, without versions and source texts."
        golden.write_text(f"{what}\n# Renew: {RENEW}\n" + yaml.safe_dump(found, sort_keys=True, width=120))
    assert golden.is_file(), f"no golden file for {config.name}: {RENEW}"
    assert found == yaml.safe_load(golden.read_text()), f"the compiled pipeline changed; if that is wanted: {RENEW}"


def test_every_golden_file_has_a_config():
    """No golden file is left over from a config that is gone, and none names a place of a machine."""
    names = sorted(path.name for path in GOLDEN.glob("*.yaml"))
    assert names == sorted(path.name for path in CONFIGS)
    assert [name for name in names if str(ROOT) in (GOLDEN / name).read_text()] == []


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> str:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return _compiled(CONFIGS[0], monkeypatch).text


def _spoilt(text: str, change) -> str:
    documents = list(yaml.safe_load_all(text))
    change(*documents)
    return yaml.safe_dump_all(documents)


def test_a_field_that_the_schema_does_not_know_is_refused(text):
    """An unknown field of the graph, of the platform part or of a pod is found before anything is sent."""

    def graph(spec, platform):
        spec["root"]["dagg"] = {}

    def pod(spec, platform):
        platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-check-gate"]["gpus"] = 1

    for change in (graph, pod):
        with pytest.raises(ClusterError, match="schema"):
            parse_package(_spoilt(text, change))


def test_a_reference_that_nothing_declares_is_refused(text):
    """A task that reads, a setting that speaks of, and a pod of what does not exist are each named."""

    def task(spec, platform):
        tasks = spec["root"]["dag"]["tasks"]
        tasks["publish-report"]["inputs"]["parameters"]["tracking"] = {"componentInputParameter": "trackin"}

    def setting(spec, platform):
        resources = spec["deploymentSpec"]["executors"]["exec-finetune-lora"]["container"]["resources"]
        resources["accelerator"]["resourceType"] = "{{$.inputs.parameters['pipelinechannel--gpu']}}"

    def pod(spec, platform):
        executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        executors["exec-nothing"] = dict(executors["exec-check-gate"])

    for change, named in ((task, "trackin"), (setting, "pipelinechannel--gpu"), (pod, "exec-nothing")):
        with pytest.raises(ClusterError, match=named):
            parse_package(_spoilt(text, change))
