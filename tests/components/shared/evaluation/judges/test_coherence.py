"""Answers that are not language."""

import pytest

from components.shared.evaluation.judges.coherence import incoherence


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty answer"),
        (" \n\t", "empty answer"),
        ("<|end|></s>", "empty answer"),
        ("?! ... --", "no word in the answer"),
        ("the cat sat on the mat and " * 6, "repeats "),
        ("a b c no a no b no c no no no no no", "one word makes up more than half"),
    ],
)
def test_empty_answers_and_loops_are_incoherent(answer: str, reason: str):
    """The reason says what is wrong."""
    assert str(incoherence(answer)).startswith(reason)


@pytest.mark.parametrize(
    "answer",
    [
        "Yes.",
        "42",
        "No no no!",
        "\u00d1and\u00fa",
        "\u4f60\u597d",
        "The cat sat on the mat. The dog sat on the mat. The bird flew away over the house.",
    ],
)
def test_short_and_ordinary_answers_are_coherent(answer: str):
    """A short answer, a number and other scripts are language."""
    assert incoherence(answer) is None
