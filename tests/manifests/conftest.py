"""The rendered overlays, and what runs in them."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from manifests import check as manifests_check


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


@pytest.fixture(scope="session")
def check() -> ModuleType:
    """manifests/check.py"""
    return manifests_check


@pytest.fixture(scope="session")
def overlays(check: ModuleType) -> dict[str, list[dict[str, Any]]]:
    """The resources of every overlay, rendered."""
    if check.kustomize() is None:
        pytest.skip("neither kubectl nor kustomize is installed")
    return {one.name: one.resources for one in check.render_all()}


@pytest.fixture(scope="session")
def workloads(overlays: dict[str, list[dict[str, Any]]], check: ModuleType) -> list[Workload]:
    """Every pod that an overlay makes."""
    return [
        workload
        for overlay, resources in overlays.items()
        for resource in resources
        for workload in _workloads(overlay, resource, check)
    ]


def _workloads(overlay: str, resource: dict[str, Any], check: ModuleType) -> Iterator[Workload]:
    place, spec = resource["metadata"], resource.get("spec", {})
    if resource["kind"] == "CronJob":
        template: dict[str, Any] = spec["jobTemplate"]["spec"]["template"]
    elif "template" in spec:
        template = spec["template"]
    else:
        return
    labels = template["metadata"].get("labels", {})
    yield Workload(overlay, check.title(resource), resource["kind"], place["namespace"], labels, template["spec"])
