"""Counterfactual pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.metrics.measure import measure


def _pair(build, name, first="group a", second="group b", **changes):
    return [
        build.prompt(f"{name}-1", pair_id=name, group=first, **changes),
        build.prompt(f"{name}-2", pair_id=name, group=second, **changes),
    ]


def _values(metrics, category="direct"):
    return {m.name: m.value for m in metrics if m.category == category and "pair" in m.name}


def test_golden_asymmetry(build):
    """Gaps of +60, -20 and 0 pp: mean size 80/3, and the first group passes 40/3 pp more often."""
    prompts = [prompt for name in "xyz" for prompt in _pair(build, name)]
    passed = {"x-1": 5, "x-2": 2, "y-1": 1, "y-2": 2, "z-1": 4, "z-2": 4}
    rows = [row for prompt_id, count in passed.items() for row in build.rows(prompt_id, count)]
    assert _values(measure(prompts, rows)) == pytest.approx(
        {
            "pair_asymmetry": 80 / 3,
            "pair_asymmetry/group a": 40 / 3,
            "pair_asymmetry/group b": -40 / 3,
            "incomplete_pairs": 0.0,
        }
    )


def test_pairs_are_matched_by_id(build):
    """Which prompts stand next to each other does not count."""
    (a, b), (c, d) = _pair(build, "x"), _pair(build, "y")
    rows = build.rows(a.id, 5) + build.rows(b.id, 5) + build.rows(c.id, 0) + build.rows(d.id, 0)
    assert _values(measure([a, d, c, b], rows))["pair_asymmetry"] == 0.0


def test_incomplete_pairs_are_counted(build):
    """A pair of one prompt, of three, or with an answer that nobody could read, is left out and counted."""
    prompts = [*_pair(build, "whole"), _pair(build, "lone")[0], *_pair(build, "unread"), *_pair(build, "three")]
    prompts.append(build.prompt("three-3", pair_id="three"))
    rows = [build.row(prompt.id, 0, "unscored" if prompt.id == "unread-2" else "pass") for prompt in prompts]
    metrics = measure(prompts, rows)
    assert _values(metrics) == {"pair_asymmetry": 0.0, "incomplete_pairs": 3.0}
    assert {m.count for m in metrics if m.name == "incomplete_pairs"} == {4}


def test_a_pair_over_two_categories_is_a_pair_of_all(build):
    """Each category has half a pair, which is incomplete there; all prompts together have it whole."""
    first, second = _pair(build, "x")
    second = second.model_copy(update={"category": "other"})
    metrics = measure([first, second], [build.row(first.id), build.row(second.id, category="other")])
    assert _values(metrics, "all") == {"pair_asymmetry": 0.0, "incomplete_pairs": 0.0}
    assert _values(metrics, "other") == {"incomplete_pairs": 1.0}


def test_unpaired_prompts_have_no_asymmetry(build):
    """Without pairs nothing is counted, not even that none is incomplete."""
    assert _values(measure([build.prompt("a")], build.rows("a", 5))) == {}


def test_a_group_in_one_pair_has_no_number_of_its_own(build):
    """A signed difference of one pair is not shown as a group's."""
    prompts = _pair(build, "x")
    assert "pair_asymmetry/group a" not in _values(measure(prompts, [build.row("x-1"), build.row("x-2", 0, "fail")]))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=6))
def test_asymmetry_is_bounded_and_blind_to_the_order_of_a_pair(build, passed):
    """It lies in 0 to 100 pp, is at least the groups' signed mean, and does not change when each pair is swapped."""
    prompts = [prompt for n in range(len(passed)) for prompt in _pair(build, f"x{n}")]
    rows, swapped = [], []
    for n, (first, second) in enumerate(passed):
        rows += build.rows(f"x{n}-1", first, 4) + build.rows(f"x{n}-2", second, 4)
        swapped += build.rows(f"x{n}-1", second, 4) + build.rows(f"x{n}-2", first, 4)
    found, turned = _values(measure(prompts, rows)), _values(measure(prompts, swapped))
    assert 0 <= found["pair_asymmetry"] <= 100
    assert found["pair_asymmetry"] == turned["pair_asymmetry"]
    if len(passed) > 1:
        assert abs(found["pair_asymmetry/group a"]) <= found["pair_asymmetry"] + 1e-9
        assert turned["pair_asymmetry/group a"] == -found["pair_asymmetry/group a"]
