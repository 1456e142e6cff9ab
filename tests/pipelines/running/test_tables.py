"""What a person sees at the end of a local run."""

from datetime import date

import pytest

from components.shared.artifacts.decision import CategoryReason, Decision, GateDecision
from components.shared.gate.decision_table import table_row
from pipelines.running.tables import show_decision

COLOURS = {Decision.PROMOTE: 32, Decision.REJECT: 31, Decision.NEEDS_REVIEW: 33}
OTHER_COLOUR = 35
DIM = 2


def _gate(build, decision: Decision, *reasons: CategoryReason) -> GateDecision:
    return build.gate_decision().model_copy(
        update={
            "decision": decision,
            "problems": ("the contracts differ",) if decision is Decision.INVALID else (),
            "reasons": reasons,
            "decided_on": date(2026, 1, 1),
        }
    )


def _reason(build, decision: Decision | None, **more: object) -> CategoryReason:
    delta = build.delta("direct").model_copy(update={"drop_pp": 2.5, "lower_pp": -0.5, "upper_pp": 6.25})
    return CategoryReason(
        category="direct", decision=decision, limit="<= 10 pp", limit_pp=10.0, sentence="direct: [why].", delta=delta,
        **more,
    )  # fmt: skip


@pytest.mark.parametrize("decision", list(Decision))
def test_the_table_shows_every_category_and_the_decision(build, capsys, decision):
    """One row per category with prompts, before, after, drop with bounds, limit and verdict; then the decision."""
    show_decision(_gate(build, decision, _reason(build, decision)))
    printed = capsys.readouterr().out
    for text in ("direct", "100", "95.0 %", "94.0 %", "+2.5 pp (-0.5 to +6.2)", "<= 10 pp", decision.value):
        assert text in printed
    assert f"\n{decision.headline}: " in printed
    assert "direct: [why]." in printed


@pytest.mark.parametrize("more", [{}, {"attention": True}, {"waived": "Kim: known."}], ids=["plain", "above", "waived"])
@pytest.mark.parametrize("decision", [*Decision, None])
def test_the_verdict_has_the_colour_of_its_decision(build, capsys, monkeypatch, decision, more):
    """Whatever is added to a verdict's text, its cell is red for reject, green for promote, dim where not gated."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    reason = _reason(build, decision, **more)
    show_decision(_gate(build, Decision.PROMOTE, reason))
    colour = DIM if decision is None else COLOURS.get(decision, OTHER_COLOUR)
    assert f"\x1b[{colour}m{table_row(reason)[-1]}" in capsys.readouterr().out
