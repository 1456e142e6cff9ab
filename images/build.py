"""Builds and pushes both images with docker, podman or buildah; `make images` and `make images-push` call it.

A push writes `images/references.json`, references with digests, which `components/images.py` reads. Needs Python and a
container tool, and no installed package.

    python3 images/build.py build [cpu] [gpu]
    python3 images/build.py push --registry registry.example.com/team

Settings come from the environment: CONTAINER_TOOL, IMAGE_TAG, BASE_IMAGE, BUILD_IMAGE, PIP_CONF, CA_BUNDLE,
BUILD_OPTIONS, PUSH_OPTIONS (images/README.md).
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from components.images import REFERENCES, code_digest  # noqa: E402 - ours, and it needs nothing but Python

KINDS = ("cpu", "gpu")
TOOLS = ("docker", "podman", "buildah")
BILLS = ROOT / "dist" / "images"
BILL = "/usr/share/doc/plimsoll/bill-of-materials.cdx.json"
_SECRETS = {"PIP_CONF": "pip.conf", "CA_BUNDLE": "ca.crt"}


def name_of(registry: str, kind: str) -> str:
    """An image's name, without a tag."""
    return f"{registry.rstrip('/')}/plimsoll-python-{kind}"


def version() -> str:
    """The project's version."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def tool_of(environment: Mapping[str, str]) -> str:
    """The tool that CONTAINER_TOOL names, or the first that is installed."""
    if tool := environment.get("CONTAINER_TOOL"):
        return tool
    for tool in TOOLS:
        if shutil.which(tool):
            return tool
    sys.exit(f"error: none of {', '.join(TOOLS)} is installed; install one, or name another with CONTAINER_TOOL")


def build_command(kind: str, tool: str, tag: str, revision: str, environment: Mapping[str, str]) -> list[str]:
    """The command that builds an image from the project's root.

    Args:
        kind: cpu or gpu.
        tool: docker, podman or buildah.
        tag: of the local image.
        revision: the commit, for the image's label.
        environment: with the settings.
    """
    command = [tool, "build", "--file", f"images/{kind}/Dockerfile", "--tag", f"{name_of('localhost', kind)}:{tag}"]
    command += ["--build-arg", f"VERSION={version()}", "--build-arg", f"REVISION={revision}"]
    command += ["--build-arg", f"CODE={code_digest(ROOT)}"]
    for name in ("BASE_IMAGE", "BUILD_IMAGE"):
        if value := environment.get(name):
            command += ["--build-arg", f"{name}={value}"]
    for name, secret in _SECRETS.items():
        if value := environment.get(name):
            command += ["--secret", f"id={secret},src={value}"]
    return [*command, *shlex.split(environment.get("BUILD_OPTIONS", "")), "."]


def bill_command(kind: str, tool: str, tag: str) -> list[str]:
    """The command that prints an image's bill of materials."""
    image = f"{name_of('localhost', kind)}:{tag}"
    if tool != "buildah":
        return [tool, "run", "--rm", "--network", "none", image, "cat", BILL]
    script = f'c=$(buildah from "{image}") && buildah run "$c" -- cat {BILL}; s=$?; buildah rm "$c" >&2; exit $s'
    return ["sh", "-c", script]


def build(kind: str, tool: str, tag: str) -> None:
    """Builds an image, and keeps its bill of materials in dist/images."""
    _run(build_command(kind, tool, tag, _revision(), os.environ))
    BILLS.mkdir(parents=True, exist_ok=True)
    bill = _output(bill_command(kind, tool, tag))
    (BILLS / f"{kind}.cdx.json").write_text(bill, encoding="utf-8")
    parts = len(json.loads(bill)["components"])
    print(f"{name_of('localhost', kind)}:{tag}, made of {parts} packages: {BILLS.relative_to(ROOT)}/{kind}.cdx.json")


def push(kind: str, tool: str, tag: str, registry: str) -> str:
    """Pushes a built image.

    Returns:
        Its reference with the digest in the registry.
    """
    name = name_of(registry, kind)
    options = shlex.split(os.environ.get("PUSH_OPTIONS", ""))
    _run([tool, "tag", f"{name_of('localhost', kind)}:{tag}", f"{name}:{tag}"])
    if tool == "docker":
        _run([tool, "push", *options, f"{name}:{tag}"])
        known = json.loads(_output([tool, "image", "inspect", "--format", "{{json .RepoDigests}}", f"{name}:{tag}"]))
        return next(str(reference) for reference in known if reference.startswith(f"{name}@"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "digest"
        _run([tool, "push", *options, "--digestfile", str(file), f"{name}:{tag}"])
        return f"{name}@{file.read_text(encoding='utf-8').strip()}"


def write_references(references: Mapping[str, str], file: Path = REFERENCES) -> None:
    """Writes the pushed references with one rename; references of other images stay."""
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({**before, **references}, indent=2) + "\n", encoding="utf-8")
    fresh.replace(file)


def main() -> None:
    """Builds or pushes, as the arguments say."""
    parser = argparse.ArgumentParser(description="Builds and pushes Plimsoll's images.")
    parser.add_argument("act", choices=["build", "push"])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="cpu, gpu; default: both")
    parser.add_argument("--registry", default="", help="where to push, such as registry.example.com/team")
    arguments = parser.parse_args()
    kinds = arguments.kinds or list(KINDS)
    if unknown := sorted(set(kinds) - set(KINDS)):
        parser.error(f"unknown image {unknown[0]!r}; expected cpu or gpu")
    if arguments.act == "push" and not arguments.registry:
        parser.error("no registry; expected --registry, such as make images-push REGISTRY=registry.example.com/team")
    tool, tag = tool_of(os.environ), os.environ.get("IMAGE_TAG") or version()
    if arguments.act == "build":
        for kind in kinds:
            build(kind, tool, tag)
        return
    references = {kind: push(kind, tool, tag, arguments.registry) for kind in kinds}
    write_references(references)
    print("\n".join(references.values()), f"\nwritten to {REFERENCES.relative_to(ROOT)}")


def _revision() -> str:
    """The commit, marked as dirty if the tree differs from it; `unknown` outside a repository."""
    done = subprocess.run(
        ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _run(command: list[str]) -> None:
    print(f"+ {shlex.join(command)}", flush=True)
    if code := subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit(f"error: {command[0]} {command[1]} ended with exit code {code}")


def _output(command: list[str]) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
