"""Prints the bill of materials of the image in which it runs: CycloneDX 1.6, every Python and Debian package.

Runs as a build step and imports nothing but the standard library. Files that belong to no package are not listed, such
as an interpreter that the base image compiled itself; the image's label names the base.
"""

import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

_DPKG_FORMAT = "${Package}\t${Version}\t${Architecture}\n"


def python_packages() -> Iterator[dict[str, Any]]:
    """A component for each installed distribution, with its licence where its metadata names one."""
    for distribution in importlib.metadata.distributions():
        name, version = distribution.metadata["Name"], distribution.version
        component: dict[str, Any] = {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{quote(name.lower().replace('_', '-'))}@{quote(version)}",
        }
        if expression := distribution.metadata.get("License-Expression"):
            component["licenses"] = [{"expression": expression}]
        elif (licence := distribution.metadata.get("License")) and "\n" not in licence:
            component["licenses"] = [{"license": {"name": licence}}]
        yield component


def debian_packages() -> Iterator[dict[str, Any]]:
    """A component for each Debian package of the base; none where the base is of another kind."""
    if shutil.which("dpkg-query") is None:
        return
    listing = subprocess.run(
        ["dpkg-query", "--show", f"--showformat={_DPKG_FORMAT}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for line in listing.splitlines():
        name, version, architecture = line.split("\t")
        yield {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}",
        }


def bill(name: str) -> dict[str, Any]:
    """The bill of materials of this environment.

    Args:
        name: of the image.
    """
    unique = {component["purl"]: component for component in (*python_packages(), *debian_packages())}
    components = [{"bom-ref": purl, **unique[purl]} for purl in sorted(unique)]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "container",
                "name": name,
                "version": importlib.metadata.version("plimsoll-pipelines"),
            },
            "properties": [{"name": "python", "value": platform.python_version()}],
        },
        "components": components,
    }


if __name__ == "__main__":
    json.dump(bill(sys.argv[1]), sys.stdout, indent=1)
    sys.stdout.write("\n")
