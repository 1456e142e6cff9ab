"""Exact match, token F1 and ROUGE-L."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.statistics.text_overlap import (
    exact_match,
    longest_common_subsequence,
    normalised,
    rouge_l,
    token_f1,
)

WORDS = st.lists(st.sampled_from(["a", "the", "cat", "dog", "sat", "on", "mat"]), max_size=12)
TEXTS = WORDS.map(" ".join)


def test_normalising_drops_case_punctuation_articles_and_spacing():
    """The steps of the SQuAD script."""
    assert normalised("  The  U.S.A.'s \n an Answer! ") == "usas answer"
    assert normalised("Theory and anthem") == "theory and anthem"


def test_exact_match_is_of_normalised_texts():
    """An article or a full stop makes no difference; a word does."""
    assert exact_match("The Eiffel Tower.", "eiffel tower")
    assert not exact_match("Eiffel Tower", "tower")


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("the cat sat", "cat sat on mat", 2 * (2 / 2) * (2 / 4) / (2 / 2 + 2 / 4)),
        ("cat cat", "cat", 2 * (1 / 2) * 1 / (1 / 2 + 1)),
        ("dog", "cat", 0.0),
        ("", "cat", 0.0),
        ("", "", 1.0),
        ("the", "a", 1.0),
    ],
)
def test_token_f1_counts_shared_words(answer: str, reference: str, expected: float):
    """Harmonic mean of precision and recall, words counted with repetition."""
    assert token_f1(answer, reference) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("police kill the gunman", "police killed the gunman", 3 / 4),
        ("the gunman kill police", "police killed the gunman", 2 / 4),
        ("a b", "a x b y", 2 * 1 * 0.5 / 1.5),
        ("", "", 1.0),
        ("", "a", 0.0),
    ],
)
def test_rouge_l_counts_words_in_order(answer: str, reference: str, expected: float):
    """The first two are the example of Lin (2004), section 3.1."""
    assert rouge_l(answer, reference) == pytest.approx(expected)


def table(left: list[str], right: list[str]) -> int:
    above = [0] * (len(right) + 1)
    for own in left:
        row = [0]
        for place, other in enumerate(right):
            row.append(above[place] + 1 if own == other else max(above[place + 1], row[place]))
        above = row
    return above[-1]


@given(WORDS, WORDS)
def test_the_common_subsequence_is_that_of_the_usual_table(left: list[str], right: list[str]):
    """Bits and the quadratic table agree."""
    assert longest_common_subsequence(left, right) == table(left, right)


@given(TEXTS, TEXTS)
def test_both_scores_are_symmetric_shares(answer: str, reference: str):
    """Each lies in [0, 1], is 1 for a text and itself, and does not mind which text is the reference."""
    for score in (token_f1, rouge_l):
        assert 0.0 <= score(answer, reference) <= 1.0
        assert score(answer, answer) == 1.0
        assert score(answer, reference) == score(reference, answer)


@given(WORDS, st.randoms(use_true_random=False))
def test_token_f1_does_not_mind_the_order(words: list[str], order):
    """Only ROUGE-L reads the order of the words."""
    shuffled = words.copy()
    order.shuffle(shuffled)
    assert token_f1(" ".join(shuffled), " ".join(words)) == 1.0
