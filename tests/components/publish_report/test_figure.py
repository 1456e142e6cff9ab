"""The picture of all drops."""

from pathlib import Path

from components.publish_report.figure import drop_figure
from components.shared.artifacts.decision import CategoryReason


def test_the_figure_is_a_png(tmp_path: Path, build):
    """Gated and ungated categories are drawn; the task, which has another scale, is not."""
    gate = build.gate_decision("reject")
    ungated = CategoryReason(
        category="extra", decision=None, limit="not gated", limit_pp=None, sentence="x", delta=build.delta("extra")
    )
    task = gate.reasons[0].model_copy(update={"category": "task"})
    sizes = {}
    for name, reasons in (("two", (gate.reasons[0], ungated)), ("task", (gate.reasons[0], ungated, task))):
        path = tmp_path / f"{name}.png"
        drop_figure(gate.model_copy(update={"reasons": reasons}), path)
        content = path.read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        sizes[name] = content[16:24]
    assert sizes["two"] == sizes["task"]


def test_texts_in_the_figure_are_no_formulas(tmp_path: Path, build):
    """Dollars and backslashes in names and notes would be read as TeX, and end the report in an error."""
    gate = build.gate_decision("reject").model_copy(update={"policy_name": r"$\frac{$"})
    reason = gate.reasons[0].model_copy(update={"category": r"$\bad{$ $x$"})
    drop_figure(gate.model_copy(update={"reasons": (reason,)}), tmp_path / "drops.png", r"costs $5 or $\nothing$")
    assert (tmp_path / "drops.png").stat().st_size > 0
