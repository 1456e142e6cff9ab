"""What a policy can say, and what it cannot."""

from datetime import date

import pytest
from pydantic import ValidationError

from components.shared.config.policy import Policy
from components.shared.config.policy_rules import CategoryRule, FollowUpRule, Requirement, Waiver
from components.shared.config.reading import load_policy


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


@pytest.mark.parametrize("name", ["task", "over_refusal", "instruction_adherence"])
def test_what_is_measured_as_a_whole_has_no_rule(build, name: str):
    """The held-out task and the groups over categories have floors instead of limits."""
    with pytest.raises(ValidationError, match="measured as a whole: use task_min_gain_pp, max_over"):
        build.policy(categories={name: CategoryRule(rule="margin", limit_pp=5.0)})


def test_floors_are_levels_of_passing_answers(build):
    """A ceiling for over-refusal is a floor for answering; what is not set is no floor."""
    assert build.policy().floors == {}
    floors = build.policy(max_over_refusal_pct=12.0, min_adherence_pct=70.0).floors
    assert floors == {"over_refusal": 88.0, "instruction_adherence": 70.0}


@pytest.mark.parametrize(
    ("rule", "policy", "message"),
    [
        ({"limit_pp": 0.05}, {}, "limit_pp is 0.05: that looks like a fraction; .* so write 5"),
        ({"rule": "zero_tolerance", "limit_pp": 0, "resolution_pp": 0.03}, {}, "resolution_pp is 0.03: .* write 3"),
        ({"min_pass_pct": 0.9}, {}, "min_pass_pct is 0.9: .* write 90"),
        ({}, {"min_coherent_pct": 0.95}, "min_coherent_pct is 0.95: .* write 95"),
        ({}, {"flag_drop_pp": 0.1}, "flag_drop_pp is 0.1: .* write 10"),
    ],
)
def test_a_fraction_is_not_taken_for_a_percentage(build, rule: dict, policy: dict, message: str):
    """0.05 where 5 percentage points are meant is refused with what to write; 0 is 0 in both."""
    with pytest.raises(ValidationError, match=message):
        build.policy(categories={"direct": CategoryRule(**{"rule": "margin", "limit_pp": 5.0, **rule})}, **policy)
    assert build.policy(min_coherent_pct=0.0, attention_drop_pp=0.0).min_coherent_pct == 0


def test_a_waiver_needs_a_name_a_reason_and_a_day(build):
    """Waiving and a waiver belong together, and it speaks about categories that have a rule."""
    day = date(2026, 12, 31)
    reason = "more prompts come next month"
    waiver = Waiver(name="Ada", reason=reason, granted=day, expires=day, categories=("direct",))
    assert build.policy(on_insufficient_evidence="waive", waiver=waiver).waiver == waiver
    for wrong in (
        {"on_insufficient_evidence": "waive"},
        {"waiver": waiver},
        {"on_insufficient_evidence": "waive", "waiver": waiver.model_copy(update={"categories": ("bias",)})},
    ):
        with pytest.raises(ValidationError, match="waive"):
            build.policy(**wrong)


def test_the_level_of_a_flip_depends_on_no_answer(build):
    """Bonferroni over the budget: a prompt that looks worse elsewhere makes no other flip harder to confirm."""
    rule = FollowUpRule(max_prompts=20)
    assert build.policy(follow_up=rule).flip_alpha == pytest.approx(0.05 / 20)


def test_a_requirement_selects_something():
    """A requirement that could never name a prompt is a mistake."""
    with pytest.raises(ValidationError, match="needs categories, tags or prompts"):
        Requirement(text="is kind")


def test_a_date_in_yaml_is_a_date(tmp_path):
    """A waiver's day may be written as people write it, without quotes."""
    path = tmp_path / "p.yaml"
    path.write_text(
        "name: p\nversion: '1'\ncategories: {a: {rule: point, limit_pp: 0}}\non_insufficient_evidence: waive\n"
        "waiver: {name: Ada, reason: until the suite has grown, granted: 2026-12-01, expires: 2026-12-31}\n"
    )
    policy = load_policy(str(path))
    assert policy.waiver is not None
    assert policy.waiver.expires == date(2026, 12, 31)


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
