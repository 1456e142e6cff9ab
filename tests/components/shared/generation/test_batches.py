"""Prompts in batches: pure functions of lengths."""

from hypothesis import given
from hypothesis import strategies as st

from components.shared.generation.batches import length_sorted_batches

LENGTHS = st.lists(st.integers(1, 50), max_size=40)
ROWS, NEW, BUDGET = st.integers(1, 6), st.integers(1, 20), st.integers(1, 600)


@given(LENGTHS, ROWS, NEW, BUDGET)
def test_every_index_occurs_once(lengths: list[int], rows: int, new: int, budget: int):
    """No prompt is lost or asked twice, and no batch is empty."""
    batches = length_sorted_batches(lengths, rows, new, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(batches)


@given(LENGTHS, ROWS, NEW, BUDGET)
def test_the_budget_holds(lengths: list[int], rows: int, new: int, budget: int):
    """Only a single prompt that is over the budget by itself may exceed it."""
    for batch in length_sorted_batches(lengths, rows, new, budget):
        width = max(lengths[index] for index in batch)
        assert len(batch) == 1 or len(batch) * rows * (width + new) <= budget


@given(LENGTHS, ROWS, NEW, BUDGET)
def test_batches_are_full_and_longest_first(lengths: list[int], rows: int, new: int, budget: int):
    """Lengths never rise, and a batch ends only because the next prompt did not fit."""
    batches = length_sorted_batches(lengths, rows, new, budget)
    flat = [lengths[index] for batch in batches for index in batch]
    assert flat == sorted(lengths, reverse=True)
    for batch in batches[:-1]:
        assert (len(batch) + 1) * rows * (lengths[batch[0]] + new) > budget


def test_equal_lengths_keep_their_order():
    """Batches are the same on both sides: ties are broken by position."""
    assert length_sorted_batches([3, 5, 3, 5], 2, 5, 40) == [[1, 3], [0, 2]]
