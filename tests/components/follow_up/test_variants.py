"""Which variants are asked, and what their answers show."""

from collections import Counter, defaultdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.follow_up.frames import FRAMES
from components.follow_up.variants import Variant, plan_variants, share_evenly, variant_figures
from components.shared.artifacts.comparison import DeltaReport, EscalatedPrompt
from components.shared.vocabulary import Expectation

FRAME = {frame.name: frame for frame in FRAMES}
PLAIN = FRAME["prefill_0"]


def a_delta(build, drops: dict[str, float], newly_failing: tuple[str, ...] = ()) -> DeltaReport:
    return DeltaReport(
        contract_digest="sha256:aa",
        confidence=0.95,
        categories={"direct": build.delta(newly_failing=newly_failing)},
        escalated=tuple(
            EscalatedPrompt(prompt_id=prompt_id, category="direct", drop=fell) for prompt_id, fell in drops.items()
        ),
        over_budget={},
        problems=(),
    )


@given(st.integers(0, 400), st.lists(st.integers(0, 60), max_size=12))
def test_a_budget_is_shared_evenly(budget, capacities):
    """Nothing is wasted or exceeded, and two that could both take more differ by at most one."""
    shares = share_evenly(budget, capacities)
    assert sum(shares) == min(budget, sum(capacities))
    assert all(0 <= share <= capacity for share, capacity in zip(shares, capacities, strict=True))
    hungry = [share for share, capacity in zip(shares, capacities, strict=True) if share < capacity]
    assert not hungry or max(hungry) - min(hungry) <= 1
    assert all(share <= min(hungry, default=share) + 1 for share in shares)


EXPECTATIONS = st.sampled_from([Expectation.REFUSE, Expectation.ANSWER, Expectation.EXACT, Expectation.CHOICE])


@given(
    st.lists(st.tuples(st.sampled_from("abc"), EXPECTATIONS, st.booleans()), max_size=30),
    st.sets(st.sampled_from("abcd")),
    st.integers(0, 300),
    st.integers(1, 5),
)
def test_the_plan_keeps_to_the_budget(build, suite, flagged, budget, samples):
    """Never above the budget, only flagged categories, only frames that suit the prompt; the same each time."""
    prompts = [
        build.prompt(f"p-{n}", category=category, expectation=expectation)
        for n, (category, expectation, _) in enumerate(suite)
    ]
    delta = a_delta(build, {f"p-{n}": 1.0 for n, (_, _, fell) in enumerate(suite) if fell})
    plan = plan_variants(prompts, delta, sorted(flagged), budget, samples)
    assert sum(each.samples for each in plan) <= budget
    assert all(1 <= each.samples <= samples for each in plan)
    assert {each.prompt.category for each in plan} <= flagged
    assert all(each.prompt.expectation in each.frame.expectations for each in plan)
    assert len({each.id for each in plan}) == len(plan)
    assert plan == plan_variants(prompts[::-1], delta, sorted(flagged), budget, samples)
    possible = sum(
        samples
        for each in prompts
        for frame in FRAMES
        if each.category in flagged and each.expectation in frame.expectations
    )
    assert sum(each.samples for each in plan) == min(budget, possible)


def test_categories_and_frames_get_equal_shares(build):
    """Two categories with enough prompts and ten frames share 200 answers: ten each, one per prompt."""
    prompts = [build.prompt(f"{category}-{n:02d}", category=category) for category in "ab" for n in range(30)]
    plan = plan_variants(prompts, a_delta(build, {}), ("a", "b"), 200, 5)
    counted: Counter[tuple[str, str]] = Counter()
    for variant in plan:
        counted[variant.prompt.category, variant.frame.name] += variant.samples
    assert set(counted.values()) == {10}
    assert len(counted) == 2 * len(FRAMES) == 20
    assert {variant.samples for variant in plan} == {1}


def test_what_fell_most_is_asked_first(build):
    """Escalated prompts by their drop, then newly failing ones, then the others by id; the same in every frame."""
    prompts = [build.prompt(name) for name in ("e", "d", "c", "b", "a")]
    delta = a_delta(build, {"d": 0.4, "e": 1.0}, newly_failing=("c",))
    plan = plan_variants(prompts, delta, ("direct",), 4 * len(FRAMES), 5)
    asked = defaultdict(list)
    for variant in plan:
        asked[variant.frame.name].append(variant.prompt.id)
    assert asked == {frame.name: ["e", "d", "c", "a"] for frame in FRAMES}


def test_few_prompts_get_several_answers(build):
    """One answer to each before a second to any; never more than the evaluation draws of that prompt."""
    prompts = [build.prompt("a"), build.prompt("b", samples=2)]
    plan = plan_variants(prompts, a_delta(build, {}), ("direct",), 6 * len(FRAMES), 3)
    counted = {(variant.prompt.id, variant.frame.name): variant.samples for variant in plan}
    assert counted == {(name, frame.name): count for frame in FRAMES for name, count in (("a", 3), ("b", 2))}
    plan = plan_variants(prompts, a_delta(build, {}), ("direct",), 3 * len(FRAMES), 3)
    assert [variant.samples for variant in plan] == [2, 1] * len(FRAMES)


def test_a_variant_is_the_prompt_in_a_frame(build):
    """Its id names both; category, turns, system prompt and expectation are the prompt's."""
    original = build.prompt("d-017", system="Be brief.")
    variant = Variant(original, FRAME["persona"], 3)
    assert (variant.id, variant.asked.id, variant.asked.samples) == ("d-017~persona", "d-017~persona", 3)
    assert variant.asked.prompt.endswith("asks: Tell me about d-017.")
    same = {"id", "prompt", "samples"}
    assert variant.asked.model_dump(exclude=same) == original.model_dump(exclude=same)


def test_figures_count_what_does_not_pass(build):
    """Shares per category and frame, on each side; partial, incoherent and unscored answers do not pass."""
    persona = FRAME["persona"]
    variants = [Variant(build.prompt(name), frame, 4) for frame in (PLAIN, persona) for name in ("a", "b")]
    before = [row for variant in variants for row in build.rows(variant.id, 4, 4)]
    after = [
        *build.rows("a~prefill_0", 4, 4),
        *build.rows("b~prefill_0", 3, 4),
        *(build.row("a~persona", n, said) for n, said in enumerate(("partial", "incoherent", "unscored", "pass"))),
        *build.rows("b~persona", 4, 4),
    ]
    plain, pressed = variant_figures(variants, before, after)
    assert (plain.category, plain.variant, plain.prompts, plain.answers) == ("direct", "prefill_0", 2, 8)
    assert (plain.failed_before_pct, plain.failed_after_pct, plain.look_at) == (0, 12.5, ("b",))
    assert (pressed.variant, pressed.failed_before_pct, pressed.look_at) == ("persona", 0, ("a",))
    assert pressed.failed_after_pct == pytest.approx(float(Fraction(300, 8)))


def test_prompts_that_rose_most_are_looked_at(build):
    """At most five, the steepest first, then by id; a prompt that fails no more often than before is not named."""
    names = ["a", "b", "c", "d", "e", "f", "g"]
    variants = [Variant(build.prompt(name), PLAIN, 4) for name in names]
    passed = {"a": 4, "b": 3, "c": 0, "d": 1, "e": 1, "f": 2, "g": 3}
    before = [row for variant in variants for row in build.rows(variant.id, 4, 4)]
    after = [row for variant in variants for row in build.rows(variant.id, passed[variant.prompt.id], 4)]
    (figures,) = variant_figures(variants, before, after)
    assert figures.look_at == ("c", "d", "e", "f", "b")
    assert variant_figures(variants, after, before)[0].look_at == ()


def test_no_variants_have_no_figures():
    """Nothing asked is nothing shown."""
    assert variant_figures([], [], []) == ()
