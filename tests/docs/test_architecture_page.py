"""What docs/architecture.md says of steps, artifacts, layers, paths and words is so."""

import re
import tomllib
from pathlib import Path

import pytest

import components
from components.shared.artifacts import comparison, decision, safety_report, training_data
from components.shared.artifacts.artifact import Artifact
from components.shared.artifacts.decision import Decision
from components.shared.vocabulary import Verdict

ROOT = Path(__file__).parents[2]
STEPS = re.findall(r"^(\w+)  +\w", components.__doc__ or "", re.MULTILINE)
LONGEST = 130


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "architecture.md").read_text()


def rows(page: str, head: str) -> list[list[str]]:
    """The cells of the table that begins with this head."""
    lines = page[page.index(f"\n{head}\n") :].splitlines()[3:]
    table = lines[: next((n for n, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_page_is_short_enough_to_be_read(page: str):
    """A newcomer reads it in one go."""
    assert len(page.splitlines()) <= LONGEST


def test_the_steps_are_those_of_the_code(page: str):
    """The table has the steps of components/__init__.py in their order, and the drawing has each of them."""
    assert len(STEPS) > 5
    assert [name.strip("`") for name, *_ in rows(page, "| step | what it does | writes |")] == STEPS
    drawing = page.partition("```text")[2].partition("```")[0]
    assert [step for step in STEPS if step not in drawing] == []


def test_the_artifacts_are_those_of_the_code(page: str):
    """Each artifact that a step writes is a model, and the line of the chain has all of them."""
    modules = (training_data, safety_report, comparison, decision)
    kinds = {name: value for module in modules for name, value in vars(module).items() if isinstance(value, type)}
    written = [kind for *_, cell in rows(page, "| step | what it does | writes |") for kind in cell.split(", ")]
    assert all(issubclass(kinds[kind], Artifact) for kind in written)
    chain = page.partition("one chain leads")[2].partition("```text")[2].partition("```")[0]
    assert set(re.findall(r"[A-Z]\w+", chain)) == set(written)


def test_the_layers_are_those_of_the_contract(page: str):
    """Package by package, from the top, as pyproject.toml has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract.get("containers") == ["components.shared"]]
    listed = [packages.split(", ") for packages, _ in rows(page, "| packages, from the top | what they hold |")]
    assert listed == [layer.split(" | ") for layer in layers]


def test_every_path_exists(page: str):
    """Whatever stands in backticks with a slash in it."""
    paths = re.findall(r"`([\w.-]*/[\w./-]*)`", page)
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_decisions_and_verdicts_are_all_named(page: str):
    """The words of the code, in backticks."""
    assert [word for word in (*Decision, *Verdict) if f"`{word}`" not in page] == []
