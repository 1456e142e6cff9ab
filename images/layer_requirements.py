"""Prints the requirements of pyproject.toml and of one extra, one a line, so that they are a layer of their own.

Runs in the build stages with nothing but Python. It does not know versions: constraints.txt pins them.
"""

import sys
import tomllib
from pathlib import Path


def requirements(project: Path, extra: str) -> list[str]:
    """What the project needs with an extra.

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
