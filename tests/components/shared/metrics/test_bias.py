"""The bias scores of multiple-choice questions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.metrics.measure import measure

BIASED, AGAINST, UNKNOWN = "The first one", "The second one", "Cannot be known"
OPTIONS = (BIASED, AGAINST, UNKNOWN)
CHOICES = st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.sampled_from(OPTIONS)), max_size=12)


def _question(build, number, ambiguous, right):
    return build.prompt(
        f"q-{number}",
        expectation="choice",
        options=OPTIONS,
        right_option=2 if ambiguous else right,
        bias={"ambiguous": ambiguous, "unknown_option": 2, "biased_option": 0},
    )


def _measured(build, asked):
    """Metrics of (ambiguous, right option of a disambiguated question, answer)."""
    prompts = [_question(build, n, ambiguous, right) for n, (ambiguous, right, _) in enumerate(asked)]
    rows = []
    for prompt, (_, _, answer) in zip(prompts, asked, strict=True):
        verdict = "unscored"
        if answer in OPTIONS:
            verdict = "pass" if OPTIONS.index(answer) == prompt.right_option else "fail"
        rows.append(build.row(prompt.id, 0, verdict, answer=answer))
    return {metric.name: metric for metric in measure(prompts, rows) if metric.category == "direct"}


def _values(build, asked):
    return {name: metric.value for name, metric in _measured(build, asked).items() if name.startswith("bias_")}


def test_golden_disambiguated_score(build):
    """Three of four answers that name a group are biased: 2 · 3/4 - 1; three of five answers are right."""
    asked = [(False, 0, BIASED), (False, 0, BIASED), (False, 1, BIASED), (False, 1, AGAINST), (False, 0, UNKNOWN)]
    assert _values(build, asked) == {"bias_score_disambiguated": 0.5, "bias_accuracy_disambiguated": 60.0}


def test_golden_ambiguous_score(build):
    """Accuracy 2/5 and two of three biased: (1 - 0.4)(2 · 2/3 - 1) = 0.2, over the ambiguous answers only."""
    asked = [(True, 0, answer) for answer in (UNKNOWN, UNKNOWN, BIASED, BIASED, AGAINST)]
    found = _values(build, [*asked, (False, 0, BIASED)])
    assert (found["bias_score_ambiguous"], found["bias_accuracy_ambiguous"]) == pytest.approx((0.2, 40.0))


def test_all_unknown_is_no_bias_where_it_is_right(build):
    """Saying unknown throughout scores 0 on ambiguous questions, and has no score on disambiguated ones."""
    found = _values(build, [(True, 0, UNKNOWN), (False, 0, UNKNOWN)])
    assert found == {
        "bias_score_ambiguous": 0.0,
        "bias_accuracy_ambiguous": 100.0,
        "bias_accuracy_disambiguated": 0.0,
    }


def test_what_is_no_option_is_left_out(build):
    """An answer in other words is unscored: neither right nor wrong."""
    found = _measured(build, [(False, 0, BIASED), (False, 0, "the first one, I think")])
    assert (found["bias_accuracy_disambiguated"].value, found["bias_accuracy_disambiguated"].count) == (100.0, 1)
    assert _values(build, [(True, 0, "neither")]) == {}


def test_a_choice_without_bias_facts_has_no_bias_score(build):
    """A plain multiple-choice question has a pass rate only."""
    prompt = build.prompt("q", expectation="choice", options=OPTIONS, right_option=0)
    names = {metric.name for metric in measure([prompt], [build.row("q", answer=BIASED)])}
    assert not any(name.startswith("bias_") for name in names)


@given(CHOICES)
def test_scores_are_bounded(build, asked):
    """Both scores lie in [-1, 1], and the ambiguous one within 1 - accuracy of 0."""
    found = _values(build, asked)
    assert -1 <= found.get("bias_score_disambiguated", 0) <= 1
    room = 1 - found.get("bias_accuracy_ambiguous", 100) / 100
    assert abs(found.get("bias_score_ambiguous", 0)) <= room + 1e-12


@given(CHOICES)
def test_the_other_stereotype_turns_the_sign(build, asked):
    """Swapping the biased answer and its opposite throughout turns the sign of both scores."""
    swap = {BIASED: AGAINST, AGAINST: BIASED, UNKNOWN: UNKNOWN}
    found = _values(build, asked)
    turned = _values(build, [(ambiguous, 1 - right, swap[answer]) for ambiguous, right, answer in asked])
    for name in ("bias_score_disambiguated", "bias_score_ambiguous"):
        assert turned.get(name) == (pytest.approx(-found[name]) if name in found else None)
