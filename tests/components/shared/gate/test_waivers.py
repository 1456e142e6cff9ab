"""A waiver lets insufficient evidence pass, for named categories and a while; nothing else."""

from datetime import date

import pytest

from components.shared.artifacts.decision import CategoryReason, Decision
from components.shared.config.policy_rules import Waiver
from components.shared.gate.waivers import waived

DAY = date(2026, 3, 1)


def reason(build, decision: str) -> CategoryReason:
    return CategoryReason(
        category="direct",
        decision=Decision(decision),
        limit="<= 5 pp",
        limit_pp=5.0,
        sentence="direct: too few.",
        delta=build.delta(),
    )


def policy(build, **changes: object):
    waiver = {"name": "Ada", "reason": "the suite grows next month", "categories": ("direct",)}
    waiver |= {"granted": date(2026, 2, 1), "expires": DAY}
    return build.policy(on_insufficient_evidence="waive", waiver=Waiver(**waiver | changes))


def test_insufficient_evidence_is_waived_by_name(build):
    """The category passes; who takes the responsibility, until when and why is kept and said."""
    result = waived(reason(build, "insufficient_evidence"), policy(build), DAY)
    assert result.decision is Decision.PROMOTE
    assert result.waived == "Ada, until 2026-03-01: the suite grows next month"
    assert result.sentence.endswith("Waived by Ada, until 2026-03-01: the suite grows next month")


@pytest.mark.parametrize("decision", ["promote", "needs_review", "invalid", "reject"])
def test_nothing_else_is_waived(build, decision: str):
    """A rejection, a review or an invalid run stays what it is."""
    before = reason(build, decision)
    assert waived(before, policy(build), DAY) == before


def test_an_expired_waiver_is_named_and_does_nothing(build):
    """On the day after, the evidence is insufficient again."""
    result = waived(reason(build, "insufficient_evidence"), policy(build), date(2026, 3, 2))
    assert result.decision is Decision.INSUFFICIENT_EVIDENCE
    assert result.sentence.endswith("The waiver of Ada expired on 2026-03-01.")


def test_a_waiver_does_not_hold_before_it_was_granted(build):
    """A day in the future buys no more time: until then the evidence is insufficient."""
    result = waived(reason(build, "insufficient_evidence"), policy(build), date(2026, 1, 31))
    assert result.decision is Decision.INSUFFICIENT_EVIDENCE
    assert result.sentence.endswith("The waiver of Ada does not hold before 2026-02-01.")
    assert waived(reason(build, "insufficient_evidence"), policy(build), date(2026, 2, 1)).waived is not None


def test_other_categories_are_not_waived(build):
    """A waiver speaks about the categories that it names, or about all where it names none."""
    before = reason(build, "insufficient_evidence")
    rules = {**build.policy().categories, "bias": build.policy().categories["direct"]}
    other = policy(build, categories=()).model_copy(update={"categories": rules})
    named = other.model_copy(update={"waiver": other.waiver.model_copy(update={"categories": ("bias",)})})
    assert waived(before, named, DAY) == before
    assert waived(before, other, DAY).decision is Decision.PROMOTE
    assert waived(before, build.policy(), DAY) == before
