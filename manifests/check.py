"""Renders every overlay and checks what comes out, offline: `make manifests`, or `python manifests/check.py`.

Every resource is checked against the strict schemas of the oldest and the newest Kubernetes that we name; a kind that
is not Kubernetes' own is refused. The rendered files go to the directory given as the first argument.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import kubernetes_validate
import yaml

HERE = Path(__file__).parent
OVERLAYS = ("local", "staging", "production")
KUBERNETES = ("1.33", "1.37")
Resource = dict[str, Any]


class RenderError(Exception):
    """Kustomize is missing, or refused a folder."""


class Rendered(NamedTuple):
    """What one overlay makes."""

    name: str
    text: str
    resources: list[Resource]


def kustomize() -> list[str] | None:
    """The command that renders a folder: kubectl or kustomize, from this environment or the path; None without one."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if kubectl := shutil.which("kubectl", path=path):
        return [kubectl, "kustomize"]
    if program := shutil.which("kustomize", path=path):
        return [program, "build"]
    return None


def render(folder: Path) -> str:
    """The YAML of a folder with a kustomization.

    Raises:
        RenderError: no kustomize is installed, or it refuses the folder.
    """
    command = kustomize()
    if command is None:
        raise RenderError("neither kubectl nor kustomize is installed; `make setup` installs kubectl")
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RenderError(f"{folder}: {done.stderr.strip()}")
    return done.stdout


def render_all() -> list[Rendered]:
    """Every overlay, rendered.

    Raises:
        RenderError: as `render`.
    """
    texts = {name: render(HERE / "overlays" / name) for name in OVERLAYS}
    return [Rendered(name, text, list(yaml.safe_load_all(text))) for name, text in texts.items()]


def problems(resource: Resource) -> list[str]:
    """What is wrong with one resource, a sentence each."""
    return list(_problems(json.dumps(resource, sort_keys=True)))


@cache
def _problems(text: str) -> tuple[str, ...]:
    """The same for a resource as JSON, cached: most resources are equal in several overlays."""
    resource, wrong = json.loads(text), []
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(resource, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            wrong.append(f"{'.'.join(map(str, error.path))}: {error.message} (Kubernetes {version})")
        except kubernetes_validate.SchemaNotFoundError:
            wrong.append(f"no schema for this kind (Kubernetes {version})")
    return tuple(wrong)


def title(resource: Resource) -> str:
    """Kind, namespace and name of a resource."""
    place = resource["metadata"]
    return f"{resource['kind']} {place.get('namespace', '-')}/{place['name']}"


def main() -> int:
    """Renders, checks, writes, and prints every problem; exit code 1 if there is one."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    try:
        rendered = render_all()
    except RenderError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    wrong = 0
    for overlay in rendered:
        lines = [f"{title(one)}: {problem}" for one in overlay.resources for problem in problems(one)]
        wrong += len(lines)
        sys.stdout.write(f"{overlay.name}: {len(overlay.resources)} resources, {len(lines)} problems\n")
        sys.stdout.writelines(f"  {line}\n" for line in lines)
        if target is not None:
            target.mkdir(parents=True, exist_ok=True)
            (target / f"{overlay.name}.yaml").write_text(overlay.text)
    if target is not None:
        sys.stdout.write(f"written to {target}/\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
