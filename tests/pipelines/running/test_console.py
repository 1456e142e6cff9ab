"""What a person sees of a local run."""

import io
from datetime import date

import pytest

from components.shared.artifacts.comparison import CategoryDelta
from components.shared.artifacts.decision import CategoryReason, Decision, GateDecision
from pipelines.running.console import RunOutput, show_decision


def _write(folder, verbose):
    screen = io.StringIO()
    output = RunOutput(folder / "run/log.txt", screen, verbose)
    print("09:00 - INFO - Executing task", file=output)
    print("    [finetune_lora] 10/40 steps", file=output)
    output.write("    [check_gate] promo")
    output.write("te: fine\n")
    output.close()
    return screen.getvalue(), (folder / "run/log.txt").read_text()


def test_only_the_stages_own_lines_are_shown(tmp_path):
    """Lines of the stages are shown, also when written in pieces; everything is in the log."""
    screen, log = _write(tmp_path, verbose=False)
    assert screen == "[finetune_lora] 10/40 steps\n[check_gate] promote: fine\n"
    assert "Executing task" in log


def test_verbose_shows_everything(tmp_path):
    """With --verbose the runner's own lines are shown as well."""
    screen, log = _write(tmp_path, verbose=True)
    assert screen == log


@pytest.mark.parametrize("decision", list(Decision))
def test_the_table_shows_every_category_and_the_decision(capsys, decision):
    """One row per category with prompts, before, after, drop with bounds, limit and verdict; then the decision."""
    delta = CategoryDelta(
        category="direct",
        prompts=100,
        samples=5,
        before_pct=94.0,
        after_pct=91.5,
        drop_pp=2.5,
        lower_pp=-0.5,
        upper_pp=6.25,
        spread_pp=10.0,
        after_lower_pct=88.0,
        after_upper_pct=95.0,
        mcnemar_p=0.25,
        newly_failing=("direct-001",),
        newly_passing=(),
    )
    reason = CategoryReason(
        category="direct", decision=decision, limit="<= 10 pp", limit_pp=10.0, sentence="direct: [why].", delta=delta
    )
    gate = GateDecision(
        decision=decision,
        problems=("the contracts differ",) if decision is Decision.INVALID else (),
        reasons=(reason,),
        policy_name="toy",
        policy_version="1",
        policy_digest="p",
        adapter_digest="a",
        contract_digest="c",
        confidence=0.95,
        decided_on=date(2026, 1, 1),
    )
    show_decision(gate)
    printed = capsys.readouterr().out
    for text in ("direct", "100", "94.0 %", "91.5 %", "+2.5 pp (-0.5 to +6.2)", "<= 10 pp", decision.value):
        assert text in printed
    assert f"\n{decision.headline}: " in printed
    assert "direct: [why]." in printed
