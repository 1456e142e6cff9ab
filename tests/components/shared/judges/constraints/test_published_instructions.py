"""The constraints of IFEval's 541 prompts; skipped where the file is absent."""

import json
import os
from pathlib import Path

import pytest

from components.shared.artifacts.suite_prompt import Constraint
from components.shared.judges.constraints.kinds import KINDS, check_constraints, is_followed
from components.shared.judges.constraints.language import is_known

ROOT = Path(__file__).parents[5]
BENCHMARKS = Path(os.environ.get("PLIMSOLL_BENCHMARKS", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="module")
def published() -> list[list[Constraint]]:
    path = BENCHMARKS / "ifeval" / "input_data.jsonl"
    if not path.is_file():
        pytest.skip(f"ifeval/input_data.jsonl is not in {BENCHMARKS}; set PLIMSOLL_BENCHMARKS to their folder")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        [
            Constraint(id=kind, arguments=given)
            for kind, given in zip(row["instruction_id_list"], row["kwargs"], strict=True)
        ]
        for row in rows
    ]


def test_every_published_constraint_is_known(published: list[list[Constraint]]):
    """All 541 rows are well-formed, and use every kind that is not our own."""
    assert len(published) == 541
    assert [check_constraints(row) for row in published] == [None] * 541
    assert {constraint.id for row in published for constraint in row} == {
        kind for kind in KINDS if not kind.startswith("plimsoll:")
    }


def test_every_published_language_is_known(published: list[list[Constraint]]):
    """py3langid can name each of the file's languages."""
    arguments = [constraint.arguments for row in published for constraint in row]
    codes = {str(given["language"]) for given in arguments if "language" in given}
    assert len(codes) == 22
    assert [code for code in sorted(codes) if not is_known(code)] == []


def test_every_published_constraint_can_be_judged(published: list[list[Constraint]]):
    """A plain English sentence gets a clear yes or no from every one of them."""
    answer = "This is the answer that was asked for, and it is short."
    assert {is_followed(constraint, answer) for row in published for constraint in row} == {True, False}
