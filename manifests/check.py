"""Renders every overlay and checks what comes out, offline: `make manifests`, or `python manifests/check.py`.

Kubernetes' own kinds are checked against the strict schemas of the oldest and the newest Kubernetes that we name,
Argo's kinds against our own models, and any other kind is refused. The rendered files go to the directory given as
the first argument. It knows no cluster, applies nothing, and does not judge whether a setting is wise: the tests do.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import custom_resources
import kubernetes_validate
import yaml

HERE = Path(__file__).parent
OVERLAYS = ("local", "staging", "production")
EXTRAS = ("argo-events", "argo-cron-workflow")
"""Components that no overlay takes by itself; each is checked on top of production."""
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
    if own := shutil.which("kustomize", path=path):
        return [own, "build"]
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
    """Every overlay, and production with each further component.

    Raises:
        RenderError: as `render`.
    """
    texts = {name: render(HERE / "overlays" / name) for name in OVERLAYS}
    with tempfile.TemporaryDirectory() as scratch:
        for extra in EXTRAS:
            folder = Path(scratch).resolve() / extra
            folder.mkdir()
            up = os.path.relpath(HERE.resolve(), folder)
            content = {"resources": [f"{up}/overlays/production"], "components": [f"{up}/components/{extra}"]}
            content["images"] = yaml.safe_load((HERE / "overlays/production/kustomization.yaml").read_text())["images"]
            (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
            texts[f"production+{extra}"] = render(folder)
    return [Rendered(name, text, list(yaml.safe_load_all(text))) for name, text in texts.items()]


def problems(resource: Resource) -> list[str]:
    """What is wrong with one resource, a sentence each."""
    if resource["apiVersion"].startswith("argoproj.io/") and resource["kind"] in custom_resources.KINDS:
        return custom_resources.problems(resource) or [
            problem for part in custom_resources.embedded(resource) for problem in problems(part)
        ]
    return list(_kubernetes_problems(json.dumps(resource, sort_keys=True)))


@cache
def _kubernetes_problems(text: str) -> tuple[str, ...]:
    """The same for a kind of Kubernetes, as JSON; most resources are equal in several overlays."""
    resource, found = json.loads(text), []
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(resource, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{'.'.join(map(str, error.path))}: {error.message} (Kubernetes {version})")
        except kubernetes_validate.SchemaNotFoundError:
            found.append(f"no schema for this kind (Kubernetes {version})")
    return tuple(found)


def title(resource: Resource) -> str:
    """Kind, namespace and name of a resource."""
    place = resource["metadata"]
    return f"{resource['kind']} {place.get('namespace', '-')}/{place['name']}"


def main() -> int:
    """Renders, checks, writes and says what it found; exit code 1 if anything is wrong."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    try:
        rendered = render_all()
    except RenderError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    wrong = 0
    for overlay in rendered:
        found = [f"{title(one)}: {problem}" for one in overlay.resources for problem in problems(one)]
        wrong += len(found)
        sys.stdout.write(f"{overlay.name}: {len(overlay.resources)} resources, {len(found)} problems\n")
        sys.stdout.writelines(f"  {line}\n" for line in found)
        if target is not None:
            target.mkdir(parents=True, exist_ok=True)
            (target / f"{overlay.name}.yaml").write_text(overlay.text)
    if target is not None:
        sys.stdout.write(f"written to {target}/\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
