"""Free answers: how many words they share with the reference."""

import pytest

from components.shared.judges.similar import judge_similar
from components.shared.vocabulary import Verdict


@pytest.mark.parametrize(
    ("answer", "verdict", "score"),
    [
        ("The red house on the hill!", Verdict.PASS, 1.0),
        ("A red house on a hill, at night", Verdict.PASS, 0.8),
        ("red hill", Verdict.PARTIAL, 2 / 3),
        ("red with four other words besides", Verdict.FAIL, 0.2),
        ("a blue boat", Verdict.FAIL, 0.0),
        ("", Verdict.FAIL, 0.0),
    ],
)
def test_the_score_is_the_token_f1(build, answer: str, verdict: Verdict, score: float):
    """From 0.8 an answer passes, from 0.4 it is partial."""
    judged = judge_similar(build.prompt(expectation="similar", reference="red house on hill"), answer)
    assert judged.verdict is verdict
    assert judged.score == pytest.approx(score)


def test_without_a_reference_nothing_is_scored(build):
    """A prompt without a reference is unscored, not failed."""
    judged = judge_similar(build.prompt(), "x")
    assert judged.verdict is Verdict.UNSCORED
    assert judged.score is None
