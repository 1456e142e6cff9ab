"""IFEval: instructions with their arguments."""

import json

import pytest

from components.shared.artifacts.suite_prompt import Constraint
from components.shared.errors import DataError
from components.shared.suites.benchmarks.benchmark import Options
from components.shared.suites.benchmarks.ifeval import read_ifeval
from components.shared.vocabulary import Expectation


def read(**changes: object) -> list:
    fields = {
        "key": 7,
        "prompt": "Write ten words, no commas.",
        "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
        "kwargs": [{"relation": None}, {"relation": "at least", "num_words": 10, "letter": None}],
    }
    return read_ifeval(json.dumps({**fields, **changes}).encode(), "f.jsonl", Options())


def test_instructions_become_constraints_without_nulls():
    """Some copies fill every argument of every instruction with null."""
    (prompt,) = read()
    assert (prompt.id, prompt.category, prompt.expectation) == (
        "ifeval/7",
        "ifeval/2_instructions",
        Expectation.CONSTRAINTS,
    )
    assert prompt.constraints == (
        Constraint(id="punctuation:no_comma"),
        Constraint(id="length_constraints:number_words", arguments={"relation": "at least", "num_words": 10}),
    )
    assert prompt.tag("depth") == "2"
    assert prompt.tag("instruction") == "punctuation:no_comma"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kwargs": [{}]}, "f.jsonl:1: column 'kwargs': got .*expected one object for each of the 2 instructions"),
        ({"kwargs": [{}, None]}, "expected one object for each of the 2"),
        ({"kwargs": "{}"}, "expected one object for each of the 2"),
        ({"instruction_id_list": []}, "column 'instruction_id_list': got .*expected a list of texts"),
        ({"key": "7"}, "column 'key': got '7'; expected a whole number"),
    ],
)
def test_instructions_and_arguments_go_together(changes: dict, message: str):
    """An instruction without its arguments could not be checked."""
    with pytest.raises(DataError, match=message):
        read(**changes)
