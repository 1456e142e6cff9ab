"""Task rows: the reference, up to case and spacing."""

import pytest

from components.shared.artifacts.evaluation import Verdict
from components.shared.evaluation.judges.exact import ExactMatchJudge


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
    assert ExactMatchJudge().judge(build.prompt(reference="Forty two"), answer).verdict is verdict


def test_without_a_reference_nothing_is_scored(build):
    """A prompt without a reference is unscored, not failed."""
    assert ExactMatchJudge().judge(build.prompt(), "x").verdict is Verdict.UNSCORED
