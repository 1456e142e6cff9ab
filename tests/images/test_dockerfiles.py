"""The images as they are written: what both must have, and that they differ in nothing but their extra."""

import difflib
import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

KINDS = ("cpu", "gpu")
_OWN_LINES = r"# The [CG]PU image|ARG EXTRA=[cg]pu$|LABEL .*image\.title=|\s+org\.opencontainers\.image\.description="


def dockerfile(root: Path, kind: str) -> str:
    return (root / "images" / kind / "Dockerfile").read_text()


def instructions(text: str) -> list[str]:
    """Whole instructions, without comments and line breaks."""
    plain = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [line for line in plain.splitlines() if line.strip()]


def script(root: Path, name: str):
    """A script of images/, as a module."""
    return importlib.import_module(f"images.{name}")


def test_the_two_differ_in_their_extra_only(root):
    """Both Dockerfiles are the same but for the extra, the title and what they say about themselves."""
    texts = [dockerfile(root, kind).splitlines() for kind in KINDS]
    changed = [line[2:] for line in difflib.ndiff(*texts) if line[:2] in ("- ", "+ ")]
    assert [line for line in changed if not re.match(_OWN_LINES, line)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_dockerfile_keeps_its_promises(root, kind):
    """Multi-stage, base images as arguments, a numbered user that is not root, a safe path, labels, health last."""
    lines = instructions(dockerfile(root, kind))
    stages = [line for line in lines if line.startswith("FROM ")]
    assert stages == ["FROM ${BUILD_IMAGE} AS packages", "FROM packages AS wheel", "FROM ${BASE_IMAGE}"]
    final = lines[lines.index(stages[-1]) :]
    assert "USER 10001:10001" in final
    assert final[-1].startswith("RUN ")
    assert "health.py" in final[-1]
    assert final.index("USER 10001:10001") < len(final) - 1
    [environment] = [line for line in final if line.startswith("ENV ")]
    assert {"PYTHONSAFEPATH=1", "HOME=/tmp"} <= set(environment.split())
    assert "USER=" not in environment  # the audit log would take it for the one who acts
    [labels] = [line for line in final if line.startswith("LABEL ")]
    for label in ("title", "description", "licenses", "version", "revision", "base.name"):
        assert f"org.opencontainers.image.{label}=" in labels
    assert "WORKDIR /work" in final
    assert not any("pip" in line for line in final)


@pytest.mark.parametrize("kind", KINDS)
def test_every_install_is_pinned(root, kind):
    """Whatever pip fetches is held by constraints.txt and by the build's own pins, sources' build tools included."""
    lines = instructions(dockerfile(root, kind))
    assert any("PIP_CONSTRAINT=" in line and "constraints.txt" in line for line in lines)
    fetching = [part for line in lines for part in line.split("&&") if re.search(r"pip .*(install|wheel)", part)]
    assert all("--no-index" in part or "--requirement" in part for part in fetching)
    pins = (root / "images/build-requirements.txt").read_text() + (root / "constraints.txt").read_text()
    assert all("==" in line for line in pins.splitlines() if line and not line.startswith("#"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_steps_are_not_installed_from_the_checkout(root, kind):
    """Our code gets in as a wheel, never editable, and nothing is copied from the context into the last stage."""
    text = dockerfile(root, kind)
    assert "--editable" not in text
    final = text[text.rindex("FROM ") :]
    assert [line for line in final.splitlines() if line.startswith(("COPY", "ADD")) and "--from=" not in line] == []


def test_the_cpu_extra_brings_no_torch(root):
    """What the CPU image asks for holds no machine-learning framework, and kfp is in both."""
    requirements = script(root, "layer_requirements").requirements
    names = {
        kind: {re.split(r"[<>=\[]", line)[0] for line in requirements(root / "pyproject.toml", kind)} for kind in KINDS
    }
    heavy = set(script(root, "health").HEAVY)
    assert names["cpu"] & heavy == set()
    assert heavy <= names["gpu"]
    assert "kfp" in names["cpu"]


def test_the_context_is_a_list_of_what_gets_in(root):
    """The build context leaves out everything but named files, so that no data, key or store reaches an image."""
    lines = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        word
        for line in instructions(dockerfile(root, "cpu"))
        if line.startswith("COPY ") and "--from=" not in line
        for word in line.split()[1:-1]
    }
    assert {name for name in copied if name not in allowed and f"images/*{Path(name).suffix}" not in allowed} == set()


def test_the_health_check_finds_the_steps_of_each_image(root):
    """Every step is checked in the image that its component names, and in no other."""
    steps_of = script(root, "health").steps_of
    steps = {kind: set(steps_of(kind)) for kind in KINDS}
    folders = {f"components.{path.parent.name}.step" for path in (root / "components").glob("*/component.py")}
    assert steps["cpu"] | steps["gpu"] == folders
    assert steps["gpu"] == {f"components.{name}.step" for name in ("evaluate_safety", "finetune_lora", "follow_up")}


def test_the_health_check_says_what_is_wrong(root):
    """A root user, an unsafe path, torch in the CPU image, a missing module and other code are each named."""
    program = (
        "import runpy, os, sys; os.getuid = lambda: 0\n"
        f"health = runpy.run_path({str(root / 'images/health.py')!r})\n"
        "said = health['foreign_code']('0' * 64) + health['broken_imports'](['no_such_module', 'json'])\n"
        "print('\\n'.join(said)); print('\\n'.join(health['problems']('cpu', 'unknown')))"
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    for finding in (
        "the wheel does not hold exactly the modules",
        "import no_such_module: ModuleNotFoundError",
        "torch is installed",
        "PYTHONSAFEPATH is not set",
        "the user is root",
    ):
        assert finding in done.stdout
    assert "import json" not in done.stdout


def test_the_bill_of_materials_names_every_package(root):
    """The bill of materials is CycloneDX with each installed distribution once, in its version."""
    done = subprocess.run(
        [sys.executable, str(root / "images/bill.py"), "an-image"], capture_output=True, text=True, check=True
    )
    bill = json.loads(done.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    purls = [component["purl"] for component in bill["components"]]
    assert len(purls) == len(set(purls))
    assert f"pkg:pypi/numpy@{importlib.metadata.version('numpy')}" in purls


def test_the_version_of_images_is_the_project_s(root):
    """The tag that an image gets and the tag that components/images.py looks for are both the project's version."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert script(root, "build").version() == version
    program = "from components.images import image_reference as of; print(of('cpu', of.__globals__['Path']('/none')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin"}
    )
    assert done.stdout.strip() == f"localhost/plimsoll-python-cpu:{version}"
