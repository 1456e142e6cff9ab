"""The last build step of each image: its steps can be imported, its code is ours, and its user is not root.

The components say which steps an image runs. Whether a GPU works is not checked.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path

DISTRIBUTION = "plimsoll-pipelines"
HEAVY = ("torch", "transformers", "peft", "trl", "accelerate", "safetensors")
EVERYWHERE = (
    *("kfp.dsl.executor_main", "kfp_server_api", "mlflow", "boto3", "datasets", "huggingface_hub"),
    *("scipy", "sklearn", "matplotlib", "pipelines.cli"),
)


def steps_of(kind: str) -> list[str]:
    """The modules of the steps whose component names this image.

    Args:
        kind: cpu or gpu.
    """
    from kfp.dsl.base_component import BaseComponent

    import components
    from components import images

    wanted = {"cpu": images.CPU_IMAGE, "gpu": images.GPU_IMAGE}[kind]
    steps = []
    for file in sorted(Path(components.__path__[0]).glob("*/component.py")):
        module = importlib.import_module(f"components.{file.parent.name}.component")
        declared = [value for value in vars(module).values() if isinstance(value, BaseComponent)]
        if any(component.component_spec.implementation.container.image == wanted for component in declared):
            steps.append(f"components.{file.parent.name}.step")
    return steps


def problems(kind: str, code: str) -> list[str]:
    """What is wrong with the image in which this runs; empty if it is healthy.

    Args:
        kind: cpu or gpu.
        code: expected digest of the code; `unknown`: not checked.
    """
    steps = steps_of(kind)
    wrong = [] if steps else [f"no component runs in the {kind} image"]
    wrong += broken_imports((*EVERYWHERE, *(HEAVY if kind == "gpu" else ()), *steps))
    if kind == "cpu":
        wrong += [f"{name} is installed" for name in HEAVY if importlib.util.find_spec(name)]
    wrong += foreign_code(code)
    if not sys.flags.safe_path:
        wrong.append("PYTHONSAFEPATH is not set")
    if os.getuid() == 0:
        wrong.append("the user is root")
    return wrong


def broken_imports(names: Iterable[str]) -> list[str]:
    """A sentence for every module that cannot be imported."""
    wrong = []
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - an import can raise anything, and all of it is reported
            wrong.append(f"import {name}: {type(error).__name__}: {error}")
    return wrong


def foreign_code(code: str) -> list[str]:
    """A sentence for each package of ours that another distribution owns, that is no wheel, or that has other code."""
    from components.images import code_digest

    wrong = []
    owners = importlib.metadata.packages_distributions()
    for name in ("components", "pipelines"):
        if set(owners.get(name, ())) != {DISTRIBUTION}:
            wrong.append(f"{name!r} comes from {owners.get(name)}, expected {DISTRIBUTION} alone")
        if "site-packages" not in str(importlib.util.find_spec(name).submodule_search_locations):
            wrong.append(f"{name!r} is not installed from a wheel")
    if code not in ("unknown", code_digest()):
        wrong.append("the wheel does not hold exactly the modules of the checkout")
    return wrong


if __name__ == "__main__":
    if wrong := problems(sys.argv[1], sys.argv[2]):
        sys.exit("the image is not healthy:\n" + "\n".join(f"  {line}" for line in wrong))
    sys.stdout.write(f"healthy: {', '.join(steps_of(sys.argv[1]))}\n")
