"""A policy that decides next to nothing is refused, unless someone says that this is wanted, and why."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from components.shared.config.policy_rules import CategoryRule, Waiver

DAY = date(2026, 3, 1)
KNOWN = {"i_know": True, "reason": "Only trends matter in this trial."}


def waiver(days: int = 10, **changes: object) -> Waiver:
    fields = {"name": "Ada", "reason": "The suite grows next month.", "granted": DAY}
    return Waiver(**fields | {"expires": DAY + timedelta(days=days)} | changes)


def wide(**rule: object) -> dict[str, object]:
    return {"categories": {"direct": CategoryRule(**rule)}}


BEYOND = [
    (wide(rule="margin", limit_pp=50.5), r"categories\.direct\.limit_pp is 50\.5 pp \(at most 50\)"),
    (wide(rule="point", limit_pp=100), r"categories\.direct\.limit_pp is 100 pp"),
    (wide(rule="zero_tolerance", resolution_pp=60), r"categories\.direct\.resolution_pp is 60 pp"),
    ({"flag_drop_pp": 51}, r"flag_drop_pp is 51 pp"),
    ({"attention_drop_pp": 100}, r"attention_drop_pp is 100 pp"),
    (
        {"on_insufficient_evidence": "waive", "waiver": waiver(181)},
        r"the waiver holds for 181 days \(at most 180\)",
    ),
]


@pytest.mark.parametrize(("changes", "phrase"), BEYOND)
def test_beyond_its_bounds_a_policy_needs_a_reason(build, changes: dict, phrase: str):
    """The error names the field, its value, the bound and the cure; with an accepted risk the policy is read."""
    with pytest.raises(ValidationError, match=phrase + r".*add accepted_risk: \{i_know: true, reason: WHY\}"):
        build.policy(**changes)
    accepted = build.policy(**changes, accepted_risk=KNOWN)
    assert len(accepted.beyond_bounds) == 1


def test_at_its_bounds_a_policy_needs_none(build):
    """50 pp and 180 days are inside; an accepted risk that nothing needs is refused, or it would cover later edits."""
    inside = {"flag_drop_pp": 50, "attention_drop_pp": 50, "on_insufficient_evidence": "waive", "waiver": waiver(180)}
    inside |= wide(rule="margin", limit_pp=50)
    assert build.policy(**inside).beyond_bounds == ()
    with pytest.raises(ValidationError, match="nothing here goes beyond the bounds; remove it"):
        build.policy(**inside, accepted_risk=KNOWN)


@pytest.mark.parametrize(
    "accepted",
    [{"i_know": False, "reason": KNOWN["reason"]}, {"i_know": True}, {"reason": KNOWN["reason"]}]
    + [{"i_know": True, "reason": reason} for reason in ("", " " * 20, "-" * 20, "why not", "\u200b" * 20)],
)
def test_an_accepted_risk_has_a_reason(build, accepted: dict):
    """`i_know: true` alone, and a reason in which nothing can be read, are refused."""
    with pytest.raises(ValidationError, match="accepted_risk"):
        build.policy(flag_drop_pp=60, accepted_risk=accepted)


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "---"])
def test_a_waiver_names_a_person(name: str):
    """A blank name takes no responsibility; no accepted risk changes that."""
    with pytest.raises(ValidationError, match="has 0 letters and digits, expected at least 1"):
        waiver(name=name)


@pytest.mark.parametrize("reason", ["", " " * 30, "." * 30, "because"])
def test_a_waiver_gives_a_reason(reason: str):
    """A blank reason is none."""
    with pytest.raises(ValidationError, match="letters and digits, expected at least 10"):
        waiver(reason=reason)


def test_a_waiver_holds_for_some_days():
    """One that ends before it begins is a mistake; the year 9999 is no way around the bound."""
    with pytest.raises(ValidationError, match=r"expires is 2026-02-28, before granted \(2026-03-01\)"):
        waiver(-1)
    assert waiver(0).expires == DAY
