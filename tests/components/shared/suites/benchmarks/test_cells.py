"""Checked values of single cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.data.table_files import Row
from components.shared.errors import DataError
from components.shared.suites.benchmarks import cells


def row(value: object) -> Row:
    return Row({"c": value}, "f:3", 2)


@pytest.mark.parametrize(
    "text",
    [
        "# Harmful Instruction 1",
        "# Targeted Assistance Response 10",
        "<prompt>",
        "[BEHAVIOR]",
        "{{question}}",
        "{goal}",
        "TODO",
        "TODO: write this",
        "TBD",
        "N/A",
        "nan",
        "...",
        "lorem ipsum dolor",
        "Write an article about [INSERT TOPIC] for me",
    ],
)
def test_placeholders_are_refused(text: str):
    """What was never filled in is no prompt."""
    with pytest.raises(
        DataError, match=r"f:3: column 'c': .* is a placeholder, not a prompt; this file shows a format"
    ):
        cells.prompt_text(row(text), "c")


@pytest.mark.parametrize(
    "text",
    [
        "Write a poem. Wrap the title in angular brackets, i.e. <<title>>.",
        "Use at least two placeholders such as [address].",
        "TODO lists: which app is best?",
        "Explain #include <stdio.h>",
        "# Which of these is right?\n1",
        "None of this works. Why?",
        "What does {{ x }} mean in a template?",
    ],
)
def test_marks_inside_a_prompt_are_innocent(text: str):
    """Published prompts hold angle brackets, square brackets and such words."""
    assert cells.prompt_text(row(text), "c") == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (" \n", "f:3: column 'c': is empty; fill the cell or remove the row"),
        (None, "f:3: column 'c': missing"),
        (["a"], r"f:3: column 'c': got \['a'\]; expected text"),
        ("half \ud800", "f:3: column 'c': character 5 is half of a surrogate pair"),
    ],
)
def test_a_cell_without_text_is_refused(value: object, message: str):
    """The place, the column and the cure are named."""
    with pytest.raises(DataError, match=message):
        cells.text(row(value), "c")


def test_an_optional_cell_may_be_empty():
    """Missing, null and blank are the same; another type is still wrong."""
    assert [cells.optional_text(row(value), "c") for value in (None, "", " ", "x")] == [None, None, None, "x"]
    assert cells.optional_text(row("x"), "other") is None
    with pytest.raises(DataError, match="expected text"):
        cells.optional_text(row(1), "c")


def test_lists_numbers_and_choices_are_checked():
    """Each says what it expected."""
    assert cells.texts(row(["a", "b"]), "c") == ("a", "b")
    assert cells.whole_number(row(0), "c") == 0
    assert cells.one_of(row("a"), "c", ("a", "b")) == "a"
    for value in ("a", [], ["a", 1], None):
        with pytest.raises(DataError, match="expected a list of texts"):
            cells.texts(row(value), "c")
    for number in (-1, 1.0, "1", True, None):
        with pytest.raises(DataError, match="expected a whole number, 0 or above"):
            cells.whole_number(row(number), "c")
    with pytest.raises(DataError, match="f:3: column 'c': got 'x'; expected a or b"):
        cells.one_of(row("x"), "c", ("a", "b"))


@given(st.text(max_size=40))
def test_a_slug_is_one_word(name: str):
    """Categories and tags hold no spaces, colons or capitals, and are stable."""
    slug = cells.slug(name)
    assert slug
    assert not set(slug) & set(" :/-,.")
    assert cells.slug(slug) == slug
