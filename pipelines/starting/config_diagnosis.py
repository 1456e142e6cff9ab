"""What a config needs on this machine: the preflight's findings, memory, room for the model, and credentials."""

from collections.abc import Iterator
from pathlib import Path

from components.shared.config.anchoring import anchor
from pipelines.running.launch import WORK_DIR, Loaded
from pipelines.running.preflight import survey_run
from pipelines.starting.diagnosis import Symptom, config_symptoms
from pipelines.starting.registry_diagnosis import registry_symptoms


def examine(loaded: Loaded, for_cluster: bool) -> Iterator[Symptom]:
    """The lines of the diagnosis that are about a config.

    Args:
        loaded: config and policy.
        for_cluster: whether the steps run on a cluster.
    """
    config = anchor(loaded.config, Path.cwd())
    yield from config_symptoms(config, for_cluster)
    if not for_cluster:
        yield from registry_symptoms(config)
    checked = survey_run(config, loaded.policy, None if for_cluster else WORK_DIR)
    for line in checked.done:
        subject, _, found = line.partition(": ")
        yield Symptom(subject, "ok", found)
    for line in checked.cautions:
        yield Symptom("policy and judges", "warning", line)
    for line in checked.skipped:
        subject, _, why = line.partition(": ")
        yield Symptom(subject, "warning", f"not checked: {why}")
    for line in checked.wrong:  # the message of an error ends with the cure
        subject, _, why = line.partition(": ")
        yield Symptom(subject, "problem", why)
