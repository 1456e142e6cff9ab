"""What is imported directly is declared in pyproject.toml; what the CPU image needs, as a base dependency."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

OURS = {"components", "pipelines", "images", "manifests"}
DISTRIBUTIONS = {
    "google.protobuf": "protobuf",
    "kfp.kubernetes": "kfp-kubernetes",
    "kfp.pipeline_spec": "kfp-pipeline-spec",
    "ruamel": "ruamel.yaml",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Where the distribution has another name than the package that is imported."""

NEED_GPU_EXTRA = (
    "components/evaluate_safety/",
    "components/finetune_lora/",
    "components/register_adapter/adapter_model.py",  # MLflow runs it where the adapter is served
    "components/shared/generation/loaded_model.py",
    "components/shared/generation/library.py",
    "components/shared/generation/model_loading.py",
    "components/shared/generation/refill.py",
    "components/shared/generation/scoring.py",
    "components/shared/generation/transformers_engine.py",
    "components/shared/judges/models/",
    "pipelines/calibration/mutants.py",
    "pipelines/demo/",
    "pipelines/starting/devices.py",
)
"""Modules that run in the GPU image, or on a machine with the extra `gpu`; all others also run in the CPU image."""

NOT_IMPORTED = {
    "accelerate": "transformers' Trainer imports it",
    "tzdata": "the standard library's zoneinfo reads it",
}


def _name(requirement: str) -> str:
    """The distribution's name in a requirement, as package indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[]", requirement)[0]).lower()


def _declared(root: Path, *extras: str) -> set[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return {_name(line) for line in lines}


def _imported(path: Path) -> Iterator[str]:
    """The distributions that a module imports, wherever the import stands in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            top = module.partition(".")[0]
            if top not in OURS and top not in sys.stdlib_module_names:
                longer = [name for package, name in DISTRIBUTIONS.items() if f"{module}.".startswith(f"{package}.")]
                yield _name((longer or [top])[0])


def _modules(root: Path, *folders: str) -> dict[str, Path]:
    return {file.relative_to(root).as_posix(): file for folder in folders for file in (root / folder).rglob("*.py")}


def _undeclared(root: Path, modules: dict[str, Path], declared: set[str]) -> list[str]:
    return sorted(f"{name}: {what}" for name, file in modules.items() for what in {*_imported(file)} - declared)


def test_what_the_cpu_image_imports_is_a_base_dependency(root):
    """Every module but those that need the extra `gpu` imports, even inside a function, only base dependencies."""
    modules = _modules(root, "components", "pipelines")
    base = {name: file for name, file in modules.items() if not name.startswith(NEED_GPU_EXTRA)}
    assert _undeclared(root, base, _declared(root)) == []


def test_what_the_gpu_image_imports_is_declared(root):
    """The modules that need the extra `gpu` import base dependencies and what that extra names."""
    modules = _modules(root, "components", "pipelines")
    gpu = {name: file for name, file in modules.items() if name.startswith(NEED_GPU_EXTRA)}
    assert _undeclared(root, gpu, _declared(root, "gpu")) == []
    idle = [place for place in NEED_GPU_EXTRA if not any(name.startswith(place) for name in gpu)]
    assert idle == []


@pytest.mark.parametrize(("folder", "extras"), [("images", ()), ("manifests", ("dev",))])
def test_what_scripts_import_is_declared(root, folder, extras):
    """The scripts of images need no extra, those of manifests the extra `dev`."""
    assert _undeclared(root, _modules(root, folder), _declared(root, *extras)) == []


def test_every_dependency_is_imported(root):
    """No dependency of the images is left over, but those on which another package relies without declaring it."""
    used = {name for file in _modules(root, "components", "pipelines").values() for name in _imported(file)}
    assert _declared(root, "gpu") - used == set(NOT_IMPORTED)


def test_an_undeclared_import_is_found(tmp_path):
    """An import inside a function and a namespace package are seen; the standard library and our own are not."""
    (tmp_path / "m.py").write_text(
        "import os.path, components.images\nfrom google.protobuf import json_format\n\n"
        "def f():\n    from kfp import kubernetes\n    import docker.errors\n    from . import g\n"
    )
    assert _undeclared(tmp_path, _modules(tmp_path, "."), {"protobuf"}) == ["m.py: docker", "m.py: kfp-kubernetes"]
