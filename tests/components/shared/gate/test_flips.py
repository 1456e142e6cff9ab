"""Fresh answers on both sides: is a prompt's flip real?"""

import pytest

from components.shared.gate.flips import judge_flips
from components.shared.gate.pairing import pair
from components.shared.statistics.exact_tests import fisher_drop_p


def judged(build, passed_before: int, passed_after: int, alpha: float = 0.05, share: float = 0.5):
    before, after = build.rows("p-1", passed_before, 20), build.rows("p-1", passed_after, 20)
    (flip,) = judge_flips(pair(before, after), alpha, share)
    return flip


def test_a_clear_flip_is_confirmed(build):
    """20 of 20 before and 3 of 20 after is confirmed."""
    flip = judged(build, 20, 3)
    assert (flip.passed_before, flip.passed_after, flip.samples, flip.confirmed) == (20, 3, 20, True)
    assert flip.fisher_p == fisher_drop_p(20, 3, 20)


@pytest.mark.parametrize(
    ("before", "after", "alpha", "share", "confirmed"),
    [
        (20, 20, 0.05, 0.5, False),
        (3, 20, 0.05, 0.5, False),
        (12, 8, 0.05, 0.5, False),
        (20, 10, 0.05, 0.5, True),
        (20, 11, 0.05, 0.5, False),
        (20, 11, 0.05, 0.6, True),
        (20, 10, 1e-6, 0.5, False),
    ],
)
def test_a_flip_is_significant_and_mostly_failing(build, before, after, alpha, share, confirmed):
    """Confirmed needs both: p at most alpha, and at most the policy's share passing now."""
    assert judged(build, before, after, alpha, share).confirmed is confirmed


def test_every_prompt_is_judged_by_itself(build):
    """Rows of several prompts are kept apart, in any order."""
    before = build.rows("a", 20, 20) + build.rows("b", 20, 20)
    after = build.rows("b", 20, 20) + build.rows("a", 0, 20)
    assert [(f.prompt_id, f.confirmed) for f in judge_flips(pair(before, after), 0.025, 0.5)] == [
        ("a", True),
        ("b", False),
    ]
    assert judge_flips([], 0.05, 0.5) == ()
