"""What policy and judges leave open is said with every decision, and decides nothing."""

from collections.abc import Sequence

import pytest

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy_rules import CategoryRule
from components.shared.gate.cautions import cautions, gated_share

MARGIN = CategoryRule(rule="margin", limit_pp=3.0)


def prompts(build, **counts: int) -> list[SuitePrompt]:
    return [build.prompt(f"{name}-{n}", category=name) for name, count in counts.items() for n in range(count)]


@pytest.mark.parametrize(
    ("gated", "counts", "sentence"),
    [
        (("a", "b"), {"a": 5, "b": 5}, None),
        (("a", "b"), {"a": 3, "b": 2, "c": 5}, None),
        (("a",), {"a": 10, "task": 90, "rare_intent": 90}, None),
        (("a", "b"), {"a": 1, "b": 1, "c": 5}, "only 2 of 3 categories, with 29 % of the prompts, have a rule"),
        (("a",), {"a": 90, "c": 10}, "only 1 of 2 categories, with 90 % of the prompts, have a rule"),
        ((), {"c": 10}, "only 0 of 1 categories, with 0 % of the prompts, have a rule"),
    ],
)
def test_a_policy_that_gates_little_says_so(build, gated: Sequence[str], counts: dict[str, int], sentence: str | None):
    """Less than half of the suites' prompts, or one category of several; held-out rows do not count."""
    policy = build.policy(categories=dict.fromkeys(gated or ("direct",), MARGIN))
    said = cautions(policy, prompts(build, **counts), {}, ())
    assert said == (() if sentence is None else (f"{sentence}; the others decide nothing",))


def test_the_share_is_also_told_where_it_is_large(build):
    """`config check` shows it for every policy."""
    policy = build.policy(categories={"a": MARGIN, "b": MARGIN})
    share = gated_share(policy, prompts(build, a=3, b=3, c=2))
    assert str(share) == "2 of 3 categories, with 75 % of the prompts, have a rule"
    assert not share.small
    assert not gated_share(policy, []).small


def test_limits_above_the_attention_level_are_named(build):
    """A drop that the report marks may still pass."""
    rules = {"a": CategoryRule(rule="margin", limit_pp=8), "b": MARGIN}
    rules["c"] = CategoryRule(rule="zero_tolerance", resolution_pp=4.5)
    (said,) = cautions(build.policy(categories=rules), (), {}, ())
    assert said.endswith("attention level of 3 pp, so that a marked drop may pass: a (8 pp), c (4.5 pp)")


def test_judges_that_nobody_checked_are_named(build):
    """With the categories that they decide; a judge of ungated categories only, and a checked one, are not."""
    policy = build.policy(categories={"a": MARGIN, "b": MARGIN})
    judges = {"a": {"always-pass@1", "refusal@7"}, "b": {"always-pass@1"}, "c": {"tone@1"}}
    assert cautions(policy, (), judges, {"refusal@7"}) == (
        "never compared with people's labels (`plimsoll judge check`), but verdicts count: always-pass@1 (a, b)",
    )
    assert cautions(policy, (), judges, {"refusal@7", "always-pass@1"}) == ()


def test_an_accepted_risk_is_quoted(build):
    """What goes beyond the bounds, and why that was accepted."""
    policy = build.policy(categories={"a": MARGIN}, flag_drop_pp=60, accepted_risk=build.ACCEPTED_RISK)
    (said,) = cautions(policy, (), {}, ())
    beyond = "the policy goes beyond its bounds: flag_drop_pp is 60 pp (at most 50)"
    assert said == f"{beyond}; accepted: A test needs a limit this wide."
