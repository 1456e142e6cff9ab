"""Decisions, their order, and the one line that people read."""

from components.shared.artifacts.decision import CategoryReason, Decision


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
