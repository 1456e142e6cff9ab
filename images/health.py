"""The last build step of each image: what its steps import is there, and what must not be there is not.

Which steps an image runs is read from the components themselves. It does not know whether a GPU works.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path

DISTRIBUTION = "plimsoll-pipelines"
HEAVY = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "safetensors")
EVERYWHERE = (
    *("kfp.dsl.executor_main", "kfp_server_api", "mlflow", "boto3", "huggingface_hub"),
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
    found = []
    for file in sorted(Path(components.__path__[0]).glob("*/component.py")):
        module = importlib.import_module(f"components.{file.parent.name}.component")
        declared = [value for value in vars(module).values() if isinstance(value, BaseComponent)]
        if any(component.component_spec.implementation.container.image == wanted for component in declared):
            found.append(f"components.{file.parent.name}.step")
    return found


def problems(kind: str, code: str) -> list[str]:
    """What is wrong with the image in which this runs; empty where it is healthy.

    Args:
        kind: cpu or gpu.
        code: digest of the code that it should hold; `unknown` for any.
    """
    steps = steps_of(kind)
    said = [] if steps else [f"no component runs in the {kind} image"]
    said += broken_imports((*EVERYWHERE, *(HEAVY if kind == "gpu" else ()), *steps))
    if kind == "cpu":
        said += [f"{name} is installed" for name in HEAVY if importlib.util.find_spec(name)]
    said += foreign_code(code)
    if not sys.flags.safe_path:
        said.append("PYTHONSAFEPATH is not set")
    if os.getuid() == 0:
        said.append("the user is root")
    return said


def broken_imports(names: Iterable[str]) -> list[str]:
    """The modules that cannot be imported, with why."""
    said = []
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever an import raises is the finding
            said.append(f"import {name}: {type(error).__name__}: {error}")
    return said


def foreign_code(code: str) -> list[str]:
    """Where our packages are not ours, not installed from a wheel, or not the code that was to be installed."""
    from components.images import code_digest

    said = []
    owners = importlib.metadata.packages_distributions()
    for name in ("components", "pipelines"):
        if set(owners.get(name, ())) != {DISTRIBUTION}:
            said.append(f"{name!r} comes from {owners.get(name)}, expected {DISTRIBUTION} alone")
        if "site-packages" not in str(importlib.util.find_spec(name).submodule_search_locations):
            said.append(f"{name!r} is not installed from a wheel")
    if code not in ("unknown", code_digest()):
        said.append("the wheel does not hold all modules of the checkout, or others")
    return said


if __name__ == "__main__":
    if wrong := problems(sys.argv[1], sys.argv[2]):
        sys.exit("the image is not healthy:\n" + "\n".join(f"  {line}" for line in wrong))
    sys.stdout.write(f"healthy: {', '.join(steps_of(sys.argv[1]))}\n")
