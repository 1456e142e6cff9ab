"""The table of docs/reliability.md has the cases of tests/chaos, and each of them was tried."""

import re
from pathlib import Path

import pytest

from tests.chaos.cases import CASES, ENDINGS

ROOT = Path(__file__).parents[2]


def rows() -> list[list[str]]:
    """The cells of the table's rows, without its head."""
    page = (ROOT / "docs/reliability.md").read_text()
    block = page.partition("<!-- counts -->")[2].partition("<!-- end of counts -->")[0]
    lines = [line for line in block.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_each_row_is_a_case():
    """Row for row, as `make test-chaos` writes them."""
    assert [row[0] for row in rows()] == list(CASES.values())


def test_each_case_was_tried():
    """No row is empty."""
    for sentence, *counts in rows():
        assert len(counts) == len(ENDINGS)
        assert sum(map(int, counts)) > 0, sentence


@pytest.mark.parametrize("case", CASES)
def test_each_case_has_its_test(case: str):
    """A test in tests/chaos counts the case by its name."""
    tests = "".join(path.read_text() for path in sorted((ROOT / "tests/chaos").glob("test_*.py")))
    assert re.search(rf'"{re.escape(case)}"', tests)


def test_the_readme_links_the_page():
    """People find it."""
    assert "(docs/reliability.md)" in (ROOT / "README.md").read_text()
