"""What one model's answers differ by when nothing but the seed changed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.safety_report import NoiseFloor
from components.shared.gate.noise import noise_floor
from components.shared.vocabulary import Verdict

VERDICTS = st.lists(st.sampled_from(list(Verdict)), min_size=3, max_size=3)
PROMPTS = st.lists(st.tuples(VERDICTS, VERDICTS), min_size=2, max_size=12)


def test_the_figures_follow_their_formulas(build):
    """Drop, reach and flips of three prompts, computed by hand: D is 0.5, 0 and -1."""
    first = build.rows("a", 2, 2) + build.rows("b", 1, 2) + build.rows("c", 0, 2)
    second = build.rows("a", 1, 2) + build.rows("b", 1, 2) + build.rows("c", 2, 2)
    (floor,) = noise_floor(first, second).values()
    spread = math.sqrt(((0.5 + 1 / 6) ** 2 + (1 / 6) ** 2 + (-1 + 1 / 6) ** 2) / 2)
    assert (floor.prompts, floor.samples, floor.flips) == (3, 2, 2)
    assert floor.drop_pp == pytest.approx(-100 / 6)
    assert floor.reach_pp == pytest.approx(196 * spread / math.sqrt(3))


@given(PROMPTS)
def test_swapping_the_passes_mirrors_the_drop(build, prompts):
    """The passes are equals, whatever the verdicts are: only the sign of the drop knows which was first."""
    first, second = (
        [build.row(f"p-{n}", k, verdict) for n, both in enumerate(prompts) for k, verdict in enumerate(both[side])]
        for side in (0, 1)
    )
    (there,), (back,) = noise_floor(first, second).values(), noise_floor(second, first).values()
    assert back == there.model_copy(update={"drop_pp": -there.drop_pp})


@given(PROMPTS)
def test_a_pass_against_itself_is_no_noise(build, prompts):
    """Equal verdicts, unscored ones included, give no drop, no reach and no flip."""
    rows = [build.row(f"p-{n}", k, verdict) for n, (both, _) in enumerate(prompts) for k, verdict in enumerate(both)]
    still = NoiseFloor(prompts=len(prompts), samples=3, drop_pp=0, reach_pp=0, flips=0)
    assert noise_floor(rows, rows) == {"direct": still}


def test_categories_are_apart_and_matched_by_prompt(build):
    """A category's floor rests on its own prompts; a prompt of one pass only is no pair."""
    first = build.rows("a", 1, 1) + build.rows("b", 1, 1) + build.rows("t", 1, 1, category="task")
    second = build.rows("b", 0, 1) + build.rows("a", 1, 1) + build.rows("c", 0, 1)
    floors = noise_floor(first, second)
    assert list(floors) == ["direct"]
    assert (floors["direct"].prompts, floors["direct"].drop_pp, floors["direct"].flips) == (2, 50, 1)


def test_one_prompt_has_no_spread(build):
    """A category of one prompt has no floor, rather than one of 0."""
    assert noise_floor(build.rows("a", 1, 2), build.rows("a", 2, 2)) == {}


def test_the_reach_holds_most_drops_of_an_unchanged_model(build):
    """Over 300 simulated A/A pairs of 40 wavering prompts, about 95 % of the drops lie within their reach."""
    import random

    rng = random.Random(0)
    chances = [rng.choice((0.0, 0.3, 0.8, 1.0)) for _ in range(40)]

    def one_pass():
        return [
            build.row(f"p-{n}", k, "pass" if rng.random() < chance else "fail")
            for n, chance in enumerate(chances)
            for k in range(3)
        ]

    floors = [noise_floor(one_pass(), one_pass())["direct"] for _ in range(300)]
    inside = sum(abs(floor.drop_pp) <= floor.reach_pp for floor in floors)
    assert 0.90 <= inside / 300 <= 0.98
