"""Two sides' answers, brought together prompt by prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.gate.pairing import Grades, PromptPair, completeness_problems, pair
from components.shared.vocabulary import Verdict

PASS, FAIL, UNSCORED = Verdict.PASS, Verdict.FAIL, Verdict.UNSCORED


def test_prompts_are_matched_by_id(build):
    """Another order on the second side pairs the same prompts."""
    before = build.rows("a", 2, 2) + build.rows("b", 0, 2)
    after = build.rows("b", 1, 2) + build.rows("a", 2, 2)
    assert pair(before, after) == (
        PromptPair("a", "direct", (PASS, PASS), (PASS, PASS)),
        PromptPair("b", "direct", (FAIL, FAIL), (PASS, FAIL)),
    )


@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_count(build, random):
    """Shuffled rows give the same pairs, with answers in sample order."""
    rows = build.rows("a", 1, 3) + build.rows("b", 2, 3) + build.rows("c", 3, 3)
    shuffled = random.sample(rows, len(rows))
    assert sorted(pair(shuffled, rows)) == sorted(pair(rows, rows))


def test_a_prompt_of_one_side_is_no_pair(build):
    """What only one side answered is left to the completeness check; so is a prompt of another category."""
    assert pair(build.rows("a", 1, 1), build.rows("b", 1, 1)) == ()
    assert pair(build.rows("a", 1, 1), build.rows("a", 1, 1, category="other")) == ()


def test_a_drop_is_a_difference_of_shares():
    """Three of four before and one of four after is a drop of one half."""
    both = PromptPair("a", "direct", (PASS, PASS, PASS, FAIL), (PASS, FAIL, FAIL, FAIL))
    assert (both.drop, both.passing_share(after=False), both.passing_share(after=True)) == (0.5, 0.75, 0.25)


def test_an_unscored_answer_counts_against_the_adapter():
    """Unscored is taken for passing before and for failing after."""
    assert PromptPair("a", "direct", (UNSCORED,), (PASS,)).drop == 0
    assert PromptPair("a", "direct", (PASS,), (UNSCORED,)).drop == 1
    assert PromptPair("a", "direct", (UNSCORED,), (UNSCORED,)).drop == 1
    assert PromptPair("a", "direct", (UNSCORED,), (UNSCORED,)).passing_share(after=False) == 0


def test_complete_answers_are_no_problem(build):
    """Every prompt answered exactly k times is complete."""
    rows = build.rows("a", 1, 2) + build.rows("b", 1, 2)
    assert completeness_problems("post", rows, [build.prompt("a"), build.prompt("b")], 2) == []


def test_missing_unknown_and_repeated_answers_are_told_apart(build):
    """Each kind of incompleteness is one sentence with its side, count and first case."""
    rows = [build.row("a", 0), build.row("a", 0), build.row("x", 0), build.row("x", 1)]
    assert completeness_problems("post", rows, [build.prompt("a"), build.prompt("b")], 2) == [
        "post: 3 answers are missing, the first is sample 1 of prompt 'a'",
        "post: 2 answers are unknown, the first is sample 0 of prompt 'x'",
        "post: 1 answers are repeated, the first is sample 0 of prompt 'a'",
    ]


def test_an_answer_in_another_category_is_not_the_prompts(build):
    """A row that moved to another category is missing where it belongs, and unknown where it is."""
    problems = completeness_problems("post", [build.row("a", category="other")], [build.prompt("a")], 1)
    assert [problem.split(",")[0] for problem in problems] == [
        "post: 1 answers are missing",
        "post: 1 answers are unknown",
    ]


def test_graded_answers_are_compared_by_their_grades(build):
    """The drop is the fall of the mean grade; verdicts do not count, and answers are in sample order."""
    before = [build.row("a", n, "pass", score=grade, judge="rouge_l@1") for n, grade in ((1, 0.9), (0, 0.7))]
    after = [build.row("a", n, "fail", score=grade, judge="rouge_l@1") for n, grade in ((0, 0.6), (1, 0.2))]
    (both,) = pair(before, after)
    assert both.grades == Grades("rouge_l", (0.7, 0.9), (0.6, 0.2))
    assert both.drop == pytest.approx(0.4)
    assert both.passing_share(after=False) == pytest.approx(0.8)
    assert both.telling_sample == 1


def test_an_unscored_graded_answer_counts_against_the_adapter(build):
    """1 before, 0 after; as a level it counts as 0 on both sides."""
    graded, unscored = build.row("a", 0, "pass", score=0.5, judge="rouge_l@1"), build.row("a", 0, "unscored")
    (lost,), (gained,) = pair([graded], [unscored]), pair([unscored], [graded])
    assert (lost.drop, gained.drop) == (0.5, 0.5)
    assert (lost.passing_share(after=True), gained.passing_share(after=False)) == (0, 0)
