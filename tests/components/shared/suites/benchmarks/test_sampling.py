"""Stratified samples: in proportion, seeded, and indifferent to order."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.suites.benchmarks.sampling import quotas, stratified_sample

COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 40), min_size=1, max_size=8)


@st.composite
def counts_and_size(draw: st.DrawFn) -> tuple[dict[str, int], int]:
    counts = draw(COUNTS)
    return counts, draw(st.integers(1, sum(counts.values())))


def by_category(prompt) -> str:
    return prompt.category


def make(build, counts: dict[str, int]) -> list:
    return [build.prompt(f"{name}-{n}", category=name) for name, count in counts.items() for n in range(count)]


@given(counts_and_size())
def test_quotas_add_up_and_fit(case: tuple[dict[str, int], int]):
    """The quotas sum to the size, none exceeds its stratum, and none is empty that need not be."""
    counts, size = case
    found = quotas(counts, size)
    assert sum(found.values()) == size
    assert all(0 <= found[name] <= counts[name] for name in counts)
    assert size < len(counts) or min(found.values()) >= 1


@given(counts_and_size())
def test_quotas_are_proportional_to_within_one(case: tuple[dict[str, int], int]):
    """Where no stratum had to be rescued from zero, each is less than one away from its exact share."""
    counts, size = case
    total = sum(counts.values())
    exact = {name: size * count / total for name, count in counts.items()}
    if min(exact.values()) >= 1:
        assert all(abs(quota - exact[name]) < 1 for name, quota in quotas(counts, size).items())


@given(counts_and_size(), st.randoms(use_true_random=False))
def test_quotas_do_not_depend_on_the_order_of_strata(case: tuple[dict[str, int], int], shuffler):
    """The same counts in another order give the same quotas."""
    counts, size = case
    names = list(counts)
    shuffler.shuffle(names)
    assert quotas({name: counts[name] for name in names}, size) == quotas(counts, size)


@given(counts_and_size(), st.integers(0, 5), st.randoms(use_true_random=False))
def test_a_sample_keeps_order_and_does_not_depend_on_it(build, case, seed: int, shuffler):
    """Shuffled input gives the same prompts, in the order of the input, with the quotas of the strata."""
    counts, size = case
    prompts = make(build, counts)
    drawn = stratified_sample(prompts, size, by_category, seed)
    assert [prompt for prompt in prompts if prompt in drawn] == list(drawn)
    assert {name: quota for name, quota in quotas(counts, size).items() if quota} == Counter(map(by_category, drawn))
    shuffled = prompts.copy()
    shuffler.shuffle(shuffled)
    again = stratified_sample(shuffled, size, by_category, seed)
    assert {prompt.id for prompt in drawn} == {prompt.id for prompt in again}
    assert [prompt for prompt in shuffled if prompt in again] == list(again)


def test_the_seed_chooses(build):
    """The same seed draws the same, another one others, and a larger sample keeps what a smaller one drew."""
    prompts = make(build, {"a": 50, "b": 50})
    first = stratified_sample(prompts, 20, by_category, 0)
    assert stratified_sample(prompts, 20, by_category, 0) == first
    assert stratified_sample(prompts, 20, by_category, 1) != first
    assert set(first) <= set(stratified_sample(prompts, 40, by_category, 0))


def test_small_strata_are_kept_at_the_cost_of_large_ones():
    """A stratum of one in a hundred is in a sample of ten."""
    assert quotas({"large": 97, "one": 1, "two": 2}, 10) == {"large": 8, "one": 1, "two": 1}
    assert quotas({"a": 90, "b": 10}, 10) == {"a": 9, "b": 1}
    assert quotas({"a": 3, "b": 3, "c": 3}, 2) == {"a": 1, "b": 1, "c": 0}


@pytest.mark.parametrize("size", [0, 4])
def test_a_size_out_of_range_is_refused(build, size: int):
    """A sample cannot be empty or larger than what it is drawn from."""
    with pytest.raises(ValueError, match=f"a sample of {size} out of 3: expected 1 to 3"):
        stratified_sample(make(build, {"a": 3}), size, by_category, 0)
