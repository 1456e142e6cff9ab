"""Decisions, their order, and the one line that people read."""

import json

import pytest
from pydantic import ValidationError

from components.shared.artifacts.decision import CategoryReason, Decision, GateDecision
from components.shared.digests import digest_json
from components.shared.errors import IntegrityError


def reason(build, category: str, decision: str) -> CategoryReason:
    return CategoryReason(
        category=category,
        decision=Decision(decision),
        limit="<= 10 pp",
        limit_pp=10.0,
        sentence=f"{category}: why.",
        delta=build.delta(category),
    )


def test_severity_is_the_order_of_the_rule():
    """Reject is worst, then invalid, needs_review, insufficient_evidence, promote."""
    ordered = sorted(Decision, key=lambda decision: decision.severity, reverse=True)
    assert [str(decision) for decision in ordered] == [
        "reject",
        "invalid",
        "needs_review",
        "insufficient_evidence",
        "promote",
    ]


def test_every_decision_has_a_headline_of_its_own():
    """No two decisions look alike."""
    assert len({decision.headline for decision in Decision}) == len(Decision)


def test_the_summary_of_a_promotion_counts_gated_categories(build):
    """A promotion says how many categories are inside which policy."""
    assert build.gate_decision().summary == "PROMOTED: all 1 categories are inside policy toy 1"


def test_the_summary_of_an_invalid_run_is_its_problems(build):
    """An invalid decision shows the broken precondition, whatever the categories say."""
    assert build.gate_decision("invalid").summary == "INVALID: the chain is broken"


def test_the_summary_names_the_category_that_decided(build):
    """The first deciding sentence is shown, the categories that decided likewise are listed, others are not."""
    reasons = (
        reason(build, "benign", "promote"),
        reason(build, "direct", "reject"),
        reason(build, "bias", "needs_review"),
        reason(build, "domain", "reject"),
    )
    decision = build.gate_decision("reject", reasons=reasons)
    assert decision.summary == "REJECTED: direct: why. Likewise: domain."


def test_a_decision_follows_from_its_reasons(build):
    """The worst reason, or invalid with problems, whatever else is written; a gate without a rule decides nothing."""
    reasons = (reason(build, "direct", "reject"), reason(build, "bias", "promote"))
    with pytest.raises(ValidationError, match="the decision is 'promote', expected 'reject': that is the worst"):
        build.gate_decision("promote", reasons=reasons)
    with pytest.raises(ValidationError, match="the decision is 'promote', expected 'invalid': it has problems"):
        build.gate_decision("promote", problems=("the chain is broken",))
    with pytest.raises(ValidationError, match="no reason decides anything"):
        build.gate_decision("promote", reasons=())


def test_a_forged_decision_with_a_fitting_digest_is_not_loaded(build, tmp_path):
    """The digest has no key, so that anybody can compute it: the content must make sense as well."""
    path = build.gate_decision("reject").save(tmp_path / "gate_decision.json")
    envelope = json.loads(path.read_text())
    envelope["content"]["decision"] = "promote"
    envelope["digest"] = digest_json(envelope["content"])
    path.write_text(json.dumps(envelope))
    with pytest.raises(IntegrityError, match="the decision is 'promote', expected 'reject'"):
        GateDecision.load(path)
