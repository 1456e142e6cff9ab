"""A compiled pipeline that cannot run is refused before anything is sent."""

import pytest
import yaml

from pipelines.cluster.package import parse_package
from pipelines.cluster.server_errors import ClusterError


def _spoilt(text: str, change) -> str:
    documents = list(yaml.safe_load_all(text))
    change(*documents)
    return yaml.safe_dump_all(documents)


def test_a_field_that_the_schema_does_not_know_is_refused(package):
    """An unknown field of the graph, of the platform part or of a pod is found before anything is sent."""

    def graph(spec, platform):
        spec["root"]["dagg"] = {}

    def pod(spec, platform):
        platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-check-gate"]["gpus"] = 1

    for change in (graph, pod):
        with pytest.raises(ClusterError, match="schema"):
            parse_package(_spoilt(package.text, change))


def test_a_reference_that_nothing_declares_is_refused(package):
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
            parse_package(_spoilt(package.text, change))
