"""A push to a real registry, opt-in: `make test-containers`."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
import urllib3

from components.images import CPU_IMAGE

pytestmark = [
    pytest.mark.skipif(os.environ.get("PLIMSOLL_CONTAINER_TESTS") != "1", reason="opt-in: make test-containers"),
    pytest.mark.timeout(900),
]

BASE = "localhost/plimsoll-base:3.11"
LIMIT = 600
"""Megabytes of the CPU image, compressed and without its base: what the project promises."""
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def registry(tmp_path) -> str:
    """A registry of its own on this machine, by host and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {"addr": address},
    }
    (tmp_path / "registry.json").write_text(json.dumps(settings))
    command = ["docker-registry", "serve", str(tmp_path / "registry.json")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        for _ in range(100):
            try:
                urllib3.request("GET", f"http://{address}/v2/", retries=False)
                break
            except urllib3.exceptions.HTTPError:
                time.sleep(0.1)
        yield address
        server.terminate()


def test_what_is_pushed_is_what_the_references_name(root, registry, tmp_path):
    """The registry has the CPU image under the digest in references.json, below 600 MB without its base's layers."""
    checkout = tmp_path / "checkout"
    for name in ("pyproject.toml", "images/build.py", "components/__init__.py", "components/images.py"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, checkout / name)
    environment = {**os.environ, "CONTAINER_TOOL": "podman", "PUSH_OPTIONS": "--tls-verify=false --format=oci"}
    command = [sys.executable, "images/build.py", "push", "cpu", "--registry", f"{registry}/team"]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [reference] = json.loads((checkout / "images/references.json").read_text()).values()
    name, digest = reference.split("@")
    tag = CPU_IMAGE.rpartition(":")[2]
    assert name == f"{registry}/team/plimsoll-python-cpu"
    where = f"http://{registry}/v2/team/plimsoll-python-cpu/manifests/{digest}"
    manifest = urllib3.request("GET", where, headers={"Accept": MANIFEST}).json()
    layers = [layer["size"] for layer in manifest["layers"]]
    base_layers = len(_layers(BASE))
    image, base = sum(layers[base_layers:]) / 1e6, sum(layers[:base_layers]) / 1e6
    sys.stdout.write(f"CPU image, compressed: {image:.0f} MB; its base: {base:.0f} MB\n")
    assert image < LIMIT
    subprocess.run(["podman", "rmi", "--no-prune", f"{name}:{tag}"], check=False, capture_output=True)


def _layers(image: str) -> list[str]:
    command = ["podman", "image", "inspect", "--format", "{{json .RootFS.Layers}}", image]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
