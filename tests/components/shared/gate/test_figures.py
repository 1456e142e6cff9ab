"""Shares of verdicts per category."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.gate.figures import category_figures, overall_share
from components.shared.vocabulary import Verdict

DRAWN = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from(list(Verdict))), min_size=1)


def rows(build, drawn: list) -> list:
    return [build.row(p, n, v.value, category=c) for n, (c, p, v) in enumerate(drawn)]


def test_shares_are_counted_per_category(build):
    """Each verdict has its own share; prompts and answers are counted."""
    answers = [build.row("a", n, v) for n, v in enumerate(["pass", "partial", "fail", "incoherent"])]
    answers += [build.row("b", 0, "unscored"), build.row("c", 0, "pass", category="benign")]
    figures = category_figures(answers)
    assert list(figures) == ["direct", "benign"]
    assert figures["direct"].model_dump() == {
        "prompts": 2,
        "answers": 5,
        "pass_pct": 20.0,
        "partial_pct": 20.0,
        "fail_pct": 20.0,
        "incoherent_pct": 20.0,
        "unscored_pct": 20.0,
    }
    assert figures["benign"].pass_pct == 100


@given(DRAWN)
def test_the_five_shares_add_up_to_100(build, drawn: list):
    """No verdict is dropped or counted twice."""
    for figures in category_figures(rows(build, drawn)).values():
        shares = figures.model_dump(exclude={"prompts", "answers"}).values()
        assert sum(shares) == pytest.approx(100)


@given(DRAWN, st.randoms(use_true_random=False))
def test_the_order_of_answers_does_not_count(build, drawn: list, random):
    """Shuffled answers have the same figures."""
    answers = rows(build, drawn)
    assert category_figures(random.sample(answers, len(answers))) == category_figures(answers)


def test_the_overall_share():
    """One verdict's share of all answers, 0 without answers."""
    assert overall_share([Verdict.FAIL, Verdict.PASS], Verdict.FAIL) == 50
    assert overall_share([], Verdict.FAIL) == 0
