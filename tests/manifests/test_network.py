"""Who may talk to whom, worked out from the rendered NetworkPolicies as Kubernetes does."""

import ipaddress
from typing import Any, NamedTuple

import pytest

RENDERED = ("local", "staging", "production")


class End(NamedTuple):
    """One end of a connection: a pod, or an address outside the cluster."""

    namespace: str | None
    labels: dict[str, str]
    address: str | None = None


MLFLOW = End("plimsoll", {"app.kubernetes.io/name": "mlflow"})
MIGRATION = End("plimsoll", {"app.kubernetes.io/name": "mlflow-migration"})
STEP = End("plimsoll-pipelines", {"workflows.argoproj.io/workflow": "run-1"})
TRIGGER = End("plimsoll-pipelines", {"app.kubernetes.io/name": "plimsoll-trigger"})
OTHER = End("plimsoll-pipelines", {"app": "notebook"})
STRANGER = End("default", {})
INGRESS = End("ingress", {})
DNS = End("kube-system", {"k8s-app": "kube-dns"})
KFP = End("kubeflow", {"app": "ml-pipeline"})
METADATA = End("kubeflow", {"app": "metadata-grpc-server"})
STORE = End("plimsoll", {"app.kubernetes.io/name": "object-store"})
POSTGRES = End("plimsoll", {"app.kubernetes.io/name": "postgres"})
S3 = End(None, {}, "198.51.100.7")
DATABASE = End(None, {}, "10.20.0.5")
CLOUD_METADATA = End(None, {}, "169.254.169.254")

ALWAYS = [
    (STEP, MLFLOW, 5000),
    (TRIGGER, MLFLOW, 5000),
    (KFP, MLFLOW, 5000),
    (INGRESS, MLFLOW, 5000),
    (MLFLOW, DATABASE, 5432),
    (MIGRATION, DATABASE, 5432),
    (MLFLOW, S3, 443),
    (STEP, S3, 443),
    (TRIGGER, S3, 443),
    (STEP, KFP, 8888),
    (STEP, METADATA, 8080),
    (TRIGGER, KFP, 8888),
    (MLFLOW, DNS, 53),
    (STEP, DNS, 53),
    (OTHER, DNS, 53),
]
NEVER = [
    (STRANGER, MLFLOW, 5000),
    (OTHER, MLFLOW, 5000),
    (STEP, MLFLOW, 22),
    (MIGRATION, S3, 443),
    (MIGRATION, MLFLOW, 5000),
    (MLFLOW, STEP, 8080),
    (STRANGER, STEP, 8080),
    (OTHER, S3, 443),
    (TRIGGER, METADATA, 8080),
    (TRIGGER, DATABASE, 5432),
    (STEP, DATABASE, 5432),
    *[(one, CLOUD_METADATA, port) for one in (MLFLOW, MIGRATION, STEP, TRIGGER) for port in (80, 443)],
]


@pytest.mark.parametrize("overlay", RENDERED)
def test_every_namespace_denies_by_default(overlays, overlay):
    """Each namespace has a policy that selects every pod, for both directions, and allows nothing."""
    resources = overlays[overlay]
    denying = {
        one["metadata"]["namespace"]
        for one in resources
        if one["kind"] == "NetworkPolicy" and one["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    }
    assert denying == {one["metadata"]["name"] for one in resources if one["kind"] == "Namespace"}


@pytest.mark.parametrize("overlay", RENDERED)
def test_what_is_needed_is_allowed(overlays, overlay):
    """Steps and triggers reach MLflow, Kubeflow and S3; MLflow reaches its database and its bucket; all find names."""
    assert [link for link in ALWAYS if not _allowed(overlays[overlay], *link)] == []


@pytest.mark.parametrize("overlay", RENDERED)
def test_the_rest_is_denied(overlays, overlay):
    """Strangers, other pods of the namespace and the cloud's metadata address are out of reach, in each direction."""
    assert [link for link in NEVER if _allowed(overlays[overlay], *link)] == []


def test_production_reaches_its_database_in_its_own_network_only(overlays):
    """Postgres at an address outside the given network is denied in production and allowed in staging."""
    outside = (MLFLOW, S3, 5432)
    assert not _allowed(overlays["production"], *outside)
    assert _allowed(overlays["staging"], *outside)


def test_local_servers_are_reached_by_those_that_use_them(overlays):
    """MLflow and the steps reach the throw-away S3 server, MLflow alone its Postgres."""
    local = overlays["local"]
    assert [_allowed(local, one, STORE, 8333) for one in (MLFLOW, STEP, TRIGGER, STRANGER)] == [True, True, True, False]
    assert [_allowed(local, one, POSTGRES, 5432) for one in (MLFLOW, MIGRATION, STEP)] == [True, True, False]


def _allowed(resources: list[dict[str, Any]], source: End, target: End, port: int) -> bool:
    policies = [one for one in resources if one["kind"] == "NetworkPolicy"]
    spaces = {one["metadata"]["name"]: one["metadata"]["labels"] for one in resources if one["kind"] == "Namespace"}
    spaces["ingress"] = {"plimsoll/mlflow-client": "true"}
    out = _direction(policies, spaces, source, target, port, "Egress")
    return out and _direction(policies, spaces, target, source, port, "Ingress")


def _direction(policies: list, spaces: dict, end: End, peer: End, port: int, direction: str) -> bool:
    """Whether the policies of one end allow the connection; an end without policies allows everything."""
    mine = [
        one["spec"]
        for one in policies
        if one["metadata"]["namespace"] == end.namespace
        and direction in one["spec"]["policyTypes"]
        and _selects(one["spec"]["podSelector"], end.labels)
    ]
    side, key = ("to", "egress") if direction == "Egress" else ("from", "ingress")
    return not mine or any(
        any(_peer(entry, spaces, end, peer) for entry in rule.get(side, []))
        and ("ports" not in rule or port in {entry["port"] for entry in rule["ports"]})
        for spec in mine
        for rule in spec.get(key, [])
    )


def _peer(entry: dict[str, Any], spaces: dict, end: End, peer: End) -> bool:
    if "ipBlock" in entry:
        if peer.address is None:
            return False
        address = ipaddress.ip_address(peer.address)
        inside = address in ipaddress.ip_network(entry["ipBlock"]["cidr"])
        return inside and not any(address in ipaddress.ip_network(one) for one in entry["ipBlock"].get("except", []))
    if peer.namespace is None:
        return False
    labels = {"kubernetes.io/metadata.name": peer.namespace, **spaces.get(peer.namespace, {})}
    selector = entry.get("namespaceSelector")
    space = _selects(selector, labels) if selector is not None else peer.namespace == end.namespace
    return space and _selects(entry.get("podSelector", {}), peer.labels)


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return equal and all(
        one["key"] in labels and (one["operator"] == "Exists" or labels[one["key"]] in one["values"])
        for one in selector.get("matchExpressions", [])
    )
