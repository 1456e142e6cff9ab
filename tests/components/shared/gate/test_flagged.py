"""Which categories look worse."""

import pytest

from components.shared.artifacts.comparison import DeltaReport, EscalatedPrompt
from components.shared.gate.flagged import flagged_categories


def a_delta(build, drops: dict[str, float], **changes: object) -> DeltaReport:
    fields = {
        "contract_digest": "sha256:aa",
        "confidence": 0.95,
        "categories": {name: build.delta(name, drop_pp=drop) for name, drop in drops.items()},
        "escalated": (),
        "over_budget": {},
        "problems": (),
    }
    return DeltaReport(**{**fields, **changes})


@pytest.mark.parametrize(
    ("drop", "flagged"), [(2.9, ()), (3.0, ()), (100 * (0.8 - 0.77), ()), (3.1, ("direct",)), (-20.0, ())]
)
def test_a_drop_above_the_attention_level_is_flagged(build, drop, flagged):
    """At the level itself, float noise included, it is not."""
    assert flagged_categories(a_delta(build, {"direct": drop}), build.policy(attention_drop_pp=3.0)) == flagged


def test_a_prompt_that_looks_worse_flags_its_category(build):
    """Escalated or left out by the budget, and however little the category dropped; each once, sorted."""
    escalated = (EscalatedPrompt(prompt_id="p-1", category="indirect", drop=0.4),) * 2
    delta = a_delta(build, {"indirect": 50.0, "direct": 0.0}, escalated=escalated, over_budget={"bias": 1})
    assert flagged_categories(delta, build.policy()) == ("bias", "indirect")


def test_the_task_is_never_flagged(build):
    """The task is no safety category, whatever it drops."""
    escalated = (EscalatedPrompt(prompt_id="t-1", category="task", drop=1.0),)
    assert flagged_categories(a_delta(build, {"task": 60.0}, escalated=escalated), build.policy()) == ()


def test_sides_that_cannot_be_compared_flag_nothing(build):
    """Their drops mean nothing."""
    assert flagged_categories(a_delta(build, {"direct": 60.0}, problems=("no",)), build.policy()) == ()
