"""The script that builds and pushes images: the commands, and what it writes."""

import json
import os
import shutil
import stat
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from components.images import CODE_LABEL, code_digest, image_reference
from images import build as image_build

DIGEST = f"sha256:{'ab' * 32}"


@pytest.fixture
def build():
    """The script that builds the images."""
    return image_build


@pytest.mark.parametrize("tool", ["docker", "podman", "buildah"])
def test_the_command_says_where_packages_come_from_without_keeping_it(build, tool):
    """Index settings and certificates are secrets of the build, base images and labels are arguments."""
    environment = {
        "PIP_CONF": "some/pip.conf",
        "CA_BUNDLE": "some/ca.crt",
        "BASE_IMAGE": "registry.example.com/python:3.11",
        "BUILD_OPTIONS": "--pull '--label=a b'",
    }
    command = build.build_command("cpu", tool, "1.2", "abc", environment)
    assert command[:4] == [tool, "build", "--file", "images/cpu/Dockerfile"]
    assert command[-3:] == ["--pull", "--label=a b", "."]
    pairs = list(pairwise(command))
    assert ("--tag", "localhost/plimsoll-python-cpu:1.2") in pairs
    assert ("--secret", "id=pip.conf,src=some/pip.conf") in pairs
    assert ("--secret", "id=ca.crt,src=some/ca.crt") in pairs
    assert ("--build-arg", "BASE_IMAGE=registry.example.com/python:3.11") in pairs
    assert ("--build-arg", f"CODE={code_digest()}") in pairs
    assert not any("PIP" in word for word in command)


def test_without_settings_the_dockerfile_s_own_hold(build):
    """Nothing is passed that nobody asked for."""
    command = build.build_command("gpu", "docker", "1.2", "abc", {})
    assert "--secret" not in command
    assert not any(word.startswith("BASE_IMAGE") for word in command)


@pytest.fixture
def checkout(root, tmp_path) -> Path:
    """A checkout with a container tool on its path that notes what it is asked, and answers as a registry would."""
    (tmp_path / "components").mkdir()
    (tmp_path / "images").mkdir()
    shutil.copy(root / "pyproject.toml", tmp_path)
    shutil.copy(root / "images/build.py", tmp_path / "images")
    for name in ("__init__.py", "images.py"):
        shutil.copy(root / "components" / name, tmp_path / "components")
    tool = tmp_path / "podman"
    tool.write_text(
        "#!/bin/sh\n"
        'echo "$@" >> asked\n'
        'test "$FAIL" = "$1" && exit 3\n'
        'while [ $# -gt 0 ]; do [ "$1" = --digestfile ] && printf %s "$DIGEST" > "$2"; shift; done; exit 0\n'
    )
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def run(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "images/build.py", *arguments],
        cwd=checkout,
        env={
            "PATH": f"{checkout}{os.pathsep}/usr/bin:/bin",
            "CONTAINER_TOOL": "podman",
            "DIGEST": DIGEST,
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_push_leaves_references_with_digests(checkout):
    """What the registry answers is written where components/images.py reads it, for the images that were pushed."""
    file = checkout / "images/references.json"
    file.write_text(json.dumps({"cpu": "old", "gpu": "kept"}))
    done = run(checkout, "push", "cpu", "--registry", "registry.example.com/team/", PUSH_OPTIONS="--quiet")
    assert done.returncode == 0, done.stderr
    pushed = f"registry.example.com/team/plimsoll-python-cpu@{DIGEST}"
    assert json.loads(file.read_text()) == {"cpu": pushed, "gpu": "kept"}
    assert image_reference("cpu", file) == pushed
    asked = (checkout / "asked").read_text().splitlines()
    assert asked[0].startswith("tag localhost/plimsoll-python-cpu:")
    assert asked[1].startswith("push --quiet --digestfile ")


def test_a_push_that_fails_writes_nothing(checkout):
    """References change only when every image of the call was pushed."""
    done = run(checkout, "push", "--registry", "registry.example.com/team", FAIL="push")
    assert done.returncode == 1
    assert "podman push ended with exit code 3" in done.stderr
    assert not (checkout / "images/references.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["push"], "make images-push REGISTRY="), (["build", "tpu"], "unknown image 'tpu'; expected cpu or gpu")],
)
def test_wrong_arguments_are_named_with_the_cure(checkout, arguments, said):
    """A missing registry and an unknown image end with what was expected."""
    done = run(checkout, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_the_code_s_digest_is_of_names_and_contents(tmp_path):
    """It changes with a module's content and with its name, and with nothing that is no module."""
    for name in ("components/a.py", "pipelines/b.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    before = code_digest(tmp_path)
    (tmp_path / "pipelines/notes.md").write_text("no module")
    assert code_digest(tmp_path) == before
    (tmp_path / "pipelines/b.py").write_text("x = 2\n")
    changed = code_digest(tmp_path)
    (tmp_path / "pipelines/b.py").rename(tmp_path / "pipelines/c.py")
    assert len({before, changed, code_digest(tmp_path)}) == 3


def test_both_images_carry_the_code_s_digest(root):
    """The label by which a launcher recognises images of its own code is in both Dockerfiles."""
    assert all(
        f'{CODE_LABEL}="${{CODE}}"' in (root / f"images/{kind}/Dockerfile").read_text() for kind in ("cpu", "gpu")
    )
