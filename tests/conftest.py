"""Fixtures that every test may use."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def plimsoll():
    """Runs the command line in a process of its own, as a person would."""

    def run(*arguments: str, cwd: Path, timeout: float = 280) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipelines", *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long groups first, so that they do not begin when the other worker has already run out of work."""
    order = {"world": 0, "launch": 1}

    def rank(item: pytest.Item) -> int:
        group = item.get_closest_marker("xdist_group")
        return order.get(group.args[0], 2) if group is not None else 2

    items.sort(key=rank)
