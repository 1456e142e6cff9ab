"""The likelihood of the reference as a grade."""

import math

import pytest

from components.shared.judges.judge import Exchange
from components.shared.judges.likelihood import LIKELIHOOD
from components.shared.vocabulary import Verdict


@pytest.mark.parametrize(
    ("log_prob", "grade"), [(0.0, 1.0), (-0.5, math.exp(-0.5)), (-40.0, math.exp(-40)), (1e-9, 1.0)]
)
def test_the_grade_is_one_over_the_perplexity(build, log_prob: float, grade: float):
    """exp(-NLL), between 0 and 1, rising when the NLL falls."""
    (judged,) = LIKELIHOOD.judge([Exchange(build.prompt(), "x", log_prob)])
    assert judged.score == pytest.approx(grade)


@pytest.mark.parametrize("log_prob", [None, math.nan, -math.inf])
def test_what_was_not_measured_is_unscored(build, log_prob: float | None):
    """Never a guess."""
    (judged,) = LIKELIHOOD.judge([Exchange(build.prompt(), "x", log_prob)])
    assert judged.verdict is Verdict.UNSCORED
