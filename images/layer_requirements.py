"""Prints the requirements of pyproject.toml with those of one extra, one per line, for an image layer without our code.

Runs in the build stage and imports nothing but the standard library. constraints.txt pins the versions.
"""

import sys
import tomllib
from pathlib import Path


def requirements(project: Path, extra: str) -> list[str]:
    """The project's dependencies and those of an extra.

    Args:
        project: a pyproject.toml.
        extra: name of the extra.

    Raises:
        KeyError: the project has no such extra.
    """
    section = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    return [*section["dependencies"], *section["optional-dependencies"][extra]]


if __name__ == "__main__":
    sys.stdout.write("\n".join(requirements(Path("pyproject.toml"), sys.argv[1])) + "\n")
