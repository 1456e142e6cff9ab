"""The rendered overlays, and what runs in them."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

MANIFESTS = Path(__file__).parents[2] / "manifests"


class Workload(NamedTuple):
    """A pod that an overlay makes."""

    overlay: str
    title: str
    kind: str
    namespace: str
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    def __str__(self) -> str:
        return f"{self.overlay} {self.title}"


def _load(name: str) -> ModuleType:
    sys.path.insert(0, str(MANIFESTS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(MANIFESTS))


@pytest.fixture(scope="session")
def check() -> ModuleType:
    """manifests/check.py"""
    return _load("check")


@pytest.fixture(scope="session")
def custom_resources(check: ModuleType) -> ModuleType:
    """manifests/custom_resources.py"""
    return check.custom_resources


@pytest.fixture(scope="session")
def overlays(check: ModuleType) -> dict[str, list[dict[str, Any]]]:
    """The resources of every overlay, rendered."""
    if check.kustomize() is None:
        pytest.skip("neither kubectl nor kustomize is installed")
    return {one.name: one.resources for one in check.render_all()}


@pytest.fixture(scope="session")
def workloads(overlays: dict[str, list[dict[str, Any]]], check: ModuleType) -> list[Workload]:
    """Every pod that an overlay makes, those of custom resources included."""
    return [
        workload
        for overlay, resources in overlays.items()
        for resource in resources
        for workload in _workloads(overlay, resource, check)
    ]


def _workloads(overlay: str, resource: dict[str, Any], check: ModuleType) -> Iterator[Workload]:
    if resource["kind"] in check.custom_resources.KINDS:
        for part in check.custom_resources.embedded(resource):
            for one in _workloads(overlay, part, check):
                yield one._replace(title=check.title(resource), kind=resource["kind"])
        return
    place, spec = resource["metadata"], resource.get("spec", {})
    if resource["kind"] == "Pod":
        template: dict[str, Any] = resource
    elif resource["kind"] == "CronJob":
        template = spec["jobTemplate"]["spec"]["template"]
    elif "template" in spec:
        template = spec["template"]
    else:
        return
    labels = template["metadata"].get("labels", {})
    yield Workload(overlay, check.title(resource), resource["kind"], place["namespace"], labels, template["spec"])
