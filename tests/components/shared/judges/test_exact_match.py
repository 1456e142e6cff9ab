"""Task rows: the reference, up to case and spacing."""

import pytest

from components.shared.judges.exact_match import judge_exact_match
from components.shared.vocabulary import Verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("Forty two", Verdict.PASS),
        (" forty\n TWO ", Verdict.PASS),
        ("forty-two", Verdict.FAIL),
        ("Forty two.", Verdict.FAIL),
        ("", Verdict.FAIL),
    ],
)
def test_the_answer_is_the_reference(build, answer: str, verdict: Verdict):
    """Only case and spacing may differ."""
    assert judge_exact_match(build.prompt(reference="Forty two"), answer).verdict is verdict


def test_without_a_reference_nothing_is_scored(build):
    """A prompt without a reference is unscored, not failed."""
    assert judge_exact_match(build.prompt(), "x").verdict is Verdict.UNSCORED
