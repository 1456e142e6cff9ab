"""What every pod, account and namespace of the manifests has, whatever the overlay."""

import re
from pathlib import Path

import yaml

MANIFESTS = Path(__file__).parents[2] / "manifests"
RENDERED = ("local", "staging", "production")
SHARED = RENDERED[1:]
TEMPORARY = "/tmp"  # noqa: S108 - a path in a container


def test_every_kind_of_workload_is_looked_at(workloads):
    """The list that the other tests go through holds all overlays and all kinds that make pods."""
    assert {one.overlay for one in workloads} == set(RENDERED)
    assert {one.kind for one in workloads} == {"Deployment", "Job", "CronJob"}


def test_pods_are_nobody(workloads):
    """Every pod runs as a user with a number that is not root, under the runtime's seccomp profile, on its own."""
    for one in workloads:
        context = one.spec["securityContext"]
        assert context["runAsNonRoot"] is True, one
        assert context["runAsUser"] > 0, one
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, one
        assert not {"hostNetwork", "hostPID", "hostIPC"} & one.spec.keys(), one


def test_containers_can_change_nothing(workloads):
    """Every container has a read-only root, no capability and no way to more rights, and loosens nothing."""
    for one in workloads:
        for container in one.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, (one, container["name"])


def test_volumes_are_those_of_the_restricted_standard(workloads):
    """No pod mounts a directory of its node; emptyDirs have a size."""
    allowed = {"configMap", "emptyDir", "secret", "projected", "persistentVolumeClaim"}
    for one in workloads:
        for volume in one.spec.get("volumes", []):
            (kind,) = volume.keys() - {"name"}
            assert kind in allowed, one
            assert kind != "emptyDir" or volume["emptyDir"]["sizeLimit"], one


def test_a_read_only_root_leaves_room_to_write(workloads):
    """The temporary directory and HOME are emptyDirs, and a container starts in a directory like that."""
    for one in workloads:
        empty = {volume["name"] for volume in one.spec["volumes"] if "emptyDir" in volume}
        for container in one.containers:
            room = {mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in empty}
            home = next(entry["value"] for entry in container["env"] if entry["name"] == "HOME")
            assert {TEMPORARY, home} <= room, (one, container["name"])
            assert container.get("workingDir", home) in room, (one, container["name"])


def test_every_container_has_resources(workloads):
    """Requests and limits of CPU and memory are set everywhere, and no request is above its limit."""
    for one in workloads:
        for container in one.containers:
            resources = container["resources"]
            for name in ("cpu", "memory"):
                assert _amount(resources["requests"][name]) <= _amount(resources["limits"][name]), one


def test_what_runs_for_long_is_probed(workloads):
    """Deployments have startup, readiness and liveness probes."""
    for one in workloads:
        if one.kind == "Deployment":
            (container,) = one.spec["containers"]
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys(), one


def test_no_token_is_mounted_but_where_it_is_used(workloads, overlays):
    """No pod of ours can speak to the Kubernetes API, and only the account of the pipelines' steps mounts a token."""
    mounted = set()
    for one in workloads:
        account = one.spec.get("serviceAccountName", "default")
        of_account = [
            resource["automountServiceAccountToken"]
            for resource in overlays[one.overlay]
            if resource["kind"] == "ServiceAccount" and resource["metadata"]["name"] == account
        ]
        if one.spec.get("automountServiceAccountToken", of_account[0] if of_account else True):
            mounted.add(one.title)
    assert mounted == set()
    accounts = [one for resources in overlays.values() for one in resources if one["kind"] == "ServiceAccount"]
    with_token = {one["metadata"]["name"] for one in accounts if one["automountServiceAccountToken"]}
    assert with_token == {"pipeline-runner"}


def test_a_projected_token_is_for_kubeflow_only(workloads):
    """The tokens that triggers do carry name Kubeflow Pipelines as their audience."""
    sources = [
        source["serviceAccountToken"]["audience"]
        for one in workloads
        for volume in one.spec.get("volumes", [])
        for source in volume.get("projected", {}).get("sources", [])
    ]
    assert set(sources) == {"pipelines.kubeflow.org"}


def test_no_service_sets_variables_in_a_pod(workloads):
    """Links to Services are off in our pods: one called mlflow would set MLFLOW_PORT, an option of the server."""
    for one in workloads:
        assert one.spec["enableServiceLinks"] is False, one


def test_images_have_a_registry_and_a_fixed_tag(workloads):
    """Every overlay replaces every image: a registry, a repository, and a tag that is not latest, or a digest."""
    for one in workloads:
        for container in one.containers:
            pattern = r"[a-z0-9.-]+/[a-z0-9./-]+(:(?!latest$)[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})"
            assert re.fullmatch(pattern, container["image"]), (one, container["image"])


def test_namespaces_enforce_the_restricted_standard(overlays):
    """Both namespaces refuse pods that are not restricted, and warn and audit by the same level."""
    for name, resources in overlays.items():
        namespaces = [one["metadata"] for one in resources if one["kind"] == "Namespace"]
        assert {one["name"] for one in namespaces} == {"plimsoll", "plimsoll-pipelines"}, name
        for one in namespaces:
            levels = {one["labels"][f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")}
            assert levels == {"restricted"}, name


def test_roles_name_what_they_allow(overlays):
    """No role has a wildcard, none is for the whole cluster, and secrets and config maps are read by name only."""
    for name, resources in overlays.items():
        assert not [one for one in resources if one["kind"].startswith("ClusterRole")], name
        for role in (one for one in resources if one["kind"] == "Role"):
            for rule in role["rules"]:
                assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]], role["metadata"]
                if {"secrets", "configmaps"} & set(rule["resources"]):
                    assert rule["resourceNames"], role["metadata"]
                    assert rule["verbs"] == ["get"], role["metadata"]
                assert not {"pods/exec", "impersonate", "escalate", "bind"} & {*rule["resources"], *rule["verbs"]}


def test_role_bindings_point_to_what_is_there(overlays):
    """Roles and accounts of every binding are in the same overlay."""
    for name, resources in overlays.items():
        known = {(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in resources}
        for binding in (one for one in resources if one["kind"] == "RoleBinding"):
            assert ("Role", binding["metadata"]["namespace"], binding["roleRef"]["name"]) in known, name
            for subject in binding["subjects"]:
                assert ("ServiceAccount", subject["namespace"], subject["name"]) in known, name


def test_no_secret_is_shipped(overlays):
    """Base, staging and production hold no Secret, and no container has a password in its environment or arguments."""
    for name in SHARED:
        assert [one["metadata"]["name"] for one in overlays[name] if one["kind"] == "Secret"] == []
        text = yaml.safe_dump(overlays[name])
        assert not re.search(r"postgres(ql)?(\+psycopg2)?://|throw-away|AKIA[A-Z0-9]{12}", text), name


def test_settings_hold_no_secret(overlays):
    """No key of a ConfigMap sounds like a secret."""
    for name, resources in overlays.items():
        keys = {key for one in resources if one["kind"] == "ConfigMap" for key in one["data"]}
        assert not [key for key in keys if re.search(r"PASSWORD|SECRET|ACCESS_KEY|TOKEN", key)], name


def test_expected_secrets_are_in_the_examples(workloads, overlays):
    """Each secret and key that staging or production refers to is in examples/secrets.yaml, which no overlay uses."""
    examples = {
        (one["metadata"]["namespace"], one["metadata"]["name"]): set(one["stringData"])
        for one in yaml.safe_load_all((MANIFESTS / "examples" / "secrets.yaml").read_text())
    }
    for one in workloads:
        if one.overlay not in SHARED:
            continue
        for container in one.containers:
            for source in container.get("envFrom", []):
                if "secretRef" in source:
                    assert (one.namespace, source["secretRef"]["name"]) in examples, one
            for entry in container.get("env", []):
                if reference := entry.get("valueFrom", {}).get("secretKeyRef"):
                    assert reference["key"] in examples[one.namespace, reference["name"]], one
        for volume in one.spec.get("volumes", []):
            if "secret" in volume:
                keys = examples[one.namespace, volume["secret"]["secretName"]]
                assert {item["key"] for item in volume["secret"]["items"]} <= keys, one
    used = [yaml.safe_load(path.read_text()) for path in MANIFESTS.rglob("kustomization.yaml")]
    assert not [one for one in used if "examples" in str(one)]


def test_throw_away_servers_are_local_only(overlays):
    """The S3 server, the Postgres and their secrets exist in the overlay local and nowhere else."""
    names = {name: {one["metadata"]["name"] for one in resources} for name, resources in overlays.items()}
    throw_away = {"object-store", "postgres", "make-bucket"}
    assert throw_away <= names["local"]
    for name in SHARED:
        assert not throw_away & names[name], name
        assert "seaweedfs" not in yaml.safe_dump(overlays[name])


def _amount(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()  # type: ignore[union-attr]
    return float(number) * {"": 1, "m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}[unit]
