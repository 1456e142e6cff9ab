"""The trigger of the manifests is a command of ours, is asked once at a time, and starts the right images."""

import re
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.main import get_command

MANIFESTS = Path(__file__).parents[2] / "manifests"
RENDERED = ("local", "staging", "production")


def _settings(resources: list) -> dict[str, str]:
    (settings,) = [
        one for one in resources if one["metadata"]["name"] == "plimsoll-trigger" and one["kind"] == "ConfigMap"
    ]
    return settings["data"]


def _triggers(workloads: list, overlay: str) -> list:
    return [one for one in workloads if one.overlay == overlay and one.containers[0].get("command") == ["plimsoll"]]


def test_each_overlay_has_its_triggers(workloads):
    """One trigger in each: a CronJob."""
    kinds = {overlay: [one.kind for one in _triggers(workloads, overlay)] for overlay in RENDERED}
    assert kinds == {overlay: ["CronJob"] for overlay in RENDERED}


@pytest.mark.parametrize("overlay", RENDERED)
def test_the_command_is_one_of_ours(workloads, overlays, overlay):
    """Each trigger's arguments, with its settings filled in, parse as `plimsoll trigger` with an address in S3."""
    from pipelines.cli import app

    settings = _settings(overlays[overlay])
    for one in _triggers(workloads, overlay):
        (container,) = one.containers
        name, *rest = [
            re.sub(r"\$\((\w+)\)", lambda variable: settings[variable[1]], word) for word in container["args"]
        ]
        command = get_command(app).commands[name]  # type: ignore[attr-defined]
        parsed = command.make_context(name, rest).params
        assert name == "trigger"
        assert parsed["config"].startswith("s3://plimsoll")
        assert {"configMapRef": {"name": "plimsoll-trigger"}} in container["envFrom"]


def test_the_trigger_finds_kubeflow_and_its_token(workloads, overlays, monkeypatch, tmp_path):
    """The variables that the pod sets are those that the command reads: endpoint and token."""
    from components.shared.config.cluster import ClusterConfig
    from pipelines.cluster.credentials import find_server

    for overlay in RENDERED:
        for one in _triggers(workloads, overlay):
            (container,) = one.containers
            values = {entry["name"]: entry["value"] for entry in container["env"]}
            mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
            (folder,) = [path for name, path in mounts.items() if name == "kfp-token"]
            assert values["KF_PIPELINES_SA_TOKEN_PATH"] == f"{folder}/token", one
    (tmp_path / "token").write_text("t")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", _settings(overlays["production"])["KF_PIPELINES_ENDPOINT"])
    server = find_server(ClusterConfig())
    assert server.host == "http://ml-pipeline.kubeflow.svc.cluster.local:8888"
    assert server.credentials.current_token() == "t"


@pytest.mark.parametrize("overlay", RENDERED)
def test_steps_run_in_the_images_of_the_overlay(workloads, overlays, overlay, monkeypatch, tmp_path):
    """What a trigger writes into a run is the image that the trigger itself runs in: the same registry and tag."""
    from components.images import image_reference

    for name, value in _settings(overlays[overlay]).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PLIMSOLL_CPU_IMAGE", raising=False)
    written = image_reference("cpu", tmp_path / "an image has no such file.json")
    assert {one.containers[0]["image"] for one in _triggers(workloads, overlay)} == {written}


def test_the_schedule_forbids_two_at_once(overlays):
    """The CronJob has five fields, a time zone that exists, no second run beside the first, and an end."""
    for overlay, resources in overlays.items():
        (one,) = [one["spec"] for one in resources if one["kind"] == "CronJob"]
        assert one["concurrencyPolicy"] == "Forbid"
        ZoneInfo(one["timeZone"])
        assert len(one["schedule"].split()) == 5
        assert one["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 0
        assert one.get("suspend", False) is (overlay == "local")


@pytest.mark.parametrize(("overlay", "side_by_side"), [("production", 2), ("staging", 1)])
def test_gpu_steps_of_default_size_fit_the_quota(overlays, overlay, side_by_side):
    """The quota has room for the GPU steps that run at once, and the largest container that is allowed is larger."""
    from components.shared.config.cluster import GpuPlace

    place = GpuPlace()
    (quota,) = [one["spec"]["hard"] for one in overlays[overlay] if one["kind"] == "ResourceQuota"]
    (ranges,) = [one["spec"]["limits"] for one in overlays[overlay] if one["kind"] == "LimitRange"]
    largest = next(one["max"] for one in ranges if one["type"] == "Container")
    assert int(quota[f"requests.{place.accelerator}"]) >= side_by_side * place.count
    for name, wanted in (("cpu", place.cpu), ("memory", place.memory.removesuffix("Gi"))):
        assert int(quota[f"requests.{name}"].removesuffix("Gi")) > side_by_side * int(wanted)
        assert int(quota[f"limits.{name}"].removesuffix("Gi")) > side_by_side * int(wanted)
        assert int(largest[name].removesuffix("Gi")) >= int(wanted)


def test_the_local_bucket_is_made(monkeypatch, tmp_path):
    """The local overlay's program makes its bucket on a real S3 endpoint, again without an error, and gives up."""
    import runpy

    import boto3
    from moto.server import ThreadedMotoServer

    path = str(MANIFESTS / "overlays" / "local" / "make_bucket.py")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "throw-away")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "throw-away-too")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("PAUSE_SECONDS", "0")
    monkeypatch.setattr(sys, "argv", [path, "plimsoll"])
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        program = runpy.run_path(path)
        assert [program["main"](), program["main"]()] == [0, 0]
        buckets = boto3.client("s3").list_buckets()["Buckets"]  # the server's memory is this process's: others stay
        assert [one["Name"] for one in buckets].count("plimsoll") == 1
    finally:
        server.stop()
    assert program["main"]() == 1
