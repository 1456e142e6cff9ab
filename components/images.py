"""The image that each step runs in.

The first of: PLIMSOLL_CPU_IMAGE and PLIMSOLL_GPU_IMAGE; `images/references.json` of the checkout, which a push of the
images writes ({"cpu": …, "gpu": …}, references with digests); registry and tag (PLIMSOLL_IMAGE_REGISTRY,
PLIMSOLL_IMAGE_TAG). Read once, when a component is imported; the section `cluster:` of a config can replace them.
"""

import hashlib
import json
import os
from pathlib import Path

from components.shared.errors import ConfigError

REFERENCES = Path(__file__).parents[1] / "images" / "references.json"
"""Written by a push of the images; absent before the first."""

CODE_LABEL = "io.plimsoll.code"
"""Image label with the digest of the code that the image was built from."""


def image_reference(kind: str, references: Path = REFERENCES) -> str:
    """The reference of an image.

    Args:
        kind: cpu or gpu.
        references: a JSON file with a reference by kind; it may be absent.

    Raises:
        ConfigError: the file exists and does not name the image.
    """
    if named := os.environ.get(f"PLIMSOLL_{kind.upper()}_IMAGE"):
        return named
    if references.is_file():
        try:
            return str(json.loads(references.read_text(encoding="utf-8"))[kind])
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{references}: names no image {kind!r} ({error}); push the images again, or remove the file"
            ) from None
    registry = os.environ.get("PLIMSOLL_IMAGE_REGISTRY", "localhost")
    tag = os.environ.get("PLIMSOLL_IMAGE_TAG", "0.2.0")
    return f"{registry}/plimsoll-python-{kind}:{tag}"


def code_digest(root: Path = Path(__file__).parents[1]) -> str:
    """The sha256 of our modules, by name and content: equal for a checkout and for the wheel built from it.

    Args:
        root: the folder with `components` and `pipelines`.
    """
    whole = hashlib.sha256()
    files = [path for package in ("components", "pipelines") for path in (root / package).rglob("*.py")]
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{content}  {name}\n".encode())
    return whole.hexdigest()


CPU_IMAGE = image_reference("cpu")
"""For the steps without torch: data, delta, gate, registry, report."""

GPU_IMAGE = image_reference("gpu")
"""For evaluation, training and follow-up."""
