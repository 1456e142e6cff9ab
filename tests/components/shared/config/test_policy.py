"""What a policy can say, and what it cannot."""

import pytest
from pydantic import ValidationError

from components.shared.config.policy import CategoryRule, Policy


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"rule": "margin"}, "a margin of 0 pp cannot be shown"),
        ({"rule": "margin", "limit_pp": 5.0, "resolution_pp": 3.0}, "resolution_pp belongs to rule: zero_tolerance"),
        ({"rule": "zero_tolerance"}, "needs a resolution_pp above 0"),
        ({"rule": "zero_tolerance", "resolution_pp": 0.0}, "needs a resolution_pp above 0"),
        ({"rule": "zero_tolerance", "resolution_pp": 3.0, "limit_pp": 1.0}, "takes no limit_pp"),
    ],
)
def test_limits_fit_their_rule(rule: dict, message: str):
    """A rule that no evidence could satisfy, or that says two things, is refused."""
    with pytest.raises(ValidationError, match=message):
        CategoryRule(**rule)


def test_the_margin_is_what_evidence_must_rule_out():
    """A margin rule's limit and a zero-tolerance rule's resolution play the same part."""
    assert CategoryRule(rule="margin", limit_pp=5.0).margin_pp == 5.0
    assert CategoryRule(rule="zero_tolerance", resolution_pp=3.0).margin_pp == 3.0


def test_the_task_has_no_safety_rule(build):
    """The held-out task has a floor for its gain instead of a limit."""
    with pytest.raises(ValidationError, match="use task_min_gain_pp instead"):
        build.policy(categories={"task": CategoryRule(rule="margin", limit_pp=5.0)})


def test_a_category_is_gated_or_not(build):
    """A category cannot have a rule and be ungated."""
    with pytest.raises(ValidationError, match=r"\['direct'\] have a rule and are listed as ungated"):
        build.policy(ungated=("direct",))


def test_the_digest_changes_with_any_rule(build):
    """Two policies are the same exactly when everything in them is."""
    policy: Policy = build.policy()
    assert policy.digest == build.policy().digest
    assert policy.digest != build.policy(flag_drop_pp=11.0).digest
    assert policy.digest != build.policy(version="2").digest
