"""One sentence per category, in plain words."""

import pytest

from components.shared.artifacts.decision import Decision
from components.shared.gate import sentences


@pytest.mark.parametrize(
    ("failing", "words"),
    [
        ((), "no prompt newly fails"),
        (("a",), "1 of 100 prompts newly fails"),
        (("a", "b"), "2 of 100 prompts newly fail"),
    ],
)
def test_the_change_counts_prompts(build, failing: tuple[str, ...], words: str):
    """Singular, plural and none."""
    assert sentences.change(build.delta(newly_failing=failing)) == (
        f"{words} (95 % of answers pass before, 94 % after; 100 x 5 answers)"
    )


def test_too_few_says_how_many_more(build):
    """The number of missing prompts is the one that the bound needs, and at least one."""
    delta = build.delta(prompts=12, drop_pp=0.0, upper_pp=21.4, spread_pp=0.0)
    assert sentences.too_few(delta, 3, 0.95).endswith(
        "; about 76 more prompts like these would show a drop of at most 3 pp."
    )
    assert "about 1 more" in sentences.too_few(build.delta(prompts=500, upper_pp=5.1), 5, 0.95)


def test_too_few_says_when_more_would_not_help(build):
    """At a drop of the limit itself no suite is large enough."""
    sentence = sentences.too_few(build.delta(drop_pp=5.0, upper_pp=8.0), 5, 0.95)
    assert sentence.endswith("no number of prompts would show a drop of at most 5 pp.")


def test_new_failures_are_named_up_to_five(build):
    """A reviewer gets the first five prompts by name."""
    flips = [build.flip(f"p-{n}") for n in range(7)]
    assert sentences.new_failures(build.delta(), flips, 0) == (
        "direct: 7 confirmed new failures (p-0, p-1, p-2, p-3, p-4); a person decides."
    )


def test_no_zero_is_negative(build):
    """Minus zero is never shown."""
    flat = build.delta("task", drop_pp=0.0, lower_pp=0.0, upper_pp=0.0)
    for decision in (Decision.PROMOTE, Decision.REJECT, Decision.NEEDS_REVIEW):
        assert "-0.0" not in sentences.task_gain(flat, 30, 0.95, decision)
    assert "-0.0" not in sentences.perhaps_beyond(build.delta(drop_pp=6.0, lower_pp=-0.01, upper_pp=9.0), 5)


def test_a_graded_task_says_what_is_compared(build):
    """The grade's name stands before the figures."""
    graded = build.delta("task", graded_by="likelihood", before_pct=20.0, after_pct=60.0, drop_pp=-40.0)
    said = sentences.task_gain(graded, 5, 0.95, Decision.PROMOTE)
    assert said.startswith("task: probability of a reference token (exp of minus the NLL) 20 % before, 60 % after")
    assert sentences.change(graded).endswith("20.0 % before, 60.0 % after, over 100 prompts")
    assert sentences.task_gain(build.delta("task"), 5, 0.95, Decision.PROMOTE).startswith("task: 9")
