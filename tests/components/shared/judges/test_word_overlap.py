"""Free answers graded by common words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.judges.word_overlap import ROUGE_L, TOKEN_F1
from components.shared.vocabulary import Verdict


@pytest.mark.parametrize(
    ("judge", "score", "reason"),
    [(TOKEN_F1, 1.0, "token F1 1.00"), (ROUGE_L, 0.5, "ROUGE-L 0.50")],
)
def test_the_order_of_words_counts_for_one_of_them(build, judge, score: float, reason: str):
    """The same words in another order: all are common, half of them in order."""
    judged = judge.rule(build.prompt(expectation=judge.name, reference="red house on hill"), "on hill red house")
    assert judged.score == pytest.approx(score)
    assert judged.reason.startswith(reason)


@given(st.text(), st.text())
def test_a_grade_is_a_share(build, answer: str, reference: str):
    """Between 0 and 1, and the verdict is its level."""
    for judge in (TOKEN_F1, ROUGE_L):
        judged = judge.rule(build.prompt(expectation=judge.name, reference=reference), answer)
        assert 0 <= judged.score <= 1
        assert (judged.verdict is Verdict.PASS) == (judged.score >= 0.8)


def test_without_a_reference_nothing_is_scored(build):
    """Not failed, but unscored."""
    assert TOKEN_F1.rule(build.prompt(), "x").verdict is Verdict.UNSCORED
