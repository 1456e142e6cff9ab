"""The table of every decision."""

from components.shared.artifacts.decision import CategoryReason
from components.shared.gate.decision_table import COLUMNS, table_row


def test_a_row_has_one_text_per_column(build):
    """Shares are percent, the drop is signed and shown with its bounds."""
    reason = build.gate_decision().reasons[0]
    row = table_row(reason)
    assert row == ("direct", "100", "95.0 %", "94.0 %", "+1.0 pp (-1.0 to +3.0)", "", "<= 10 pp", "promote")
    assert len(row) == len(COLUMNS)


def test_an_ungated_category_is_shown_as_such(build):
    """A category without a decision does not look like one that passed."""
    reason = CategoryReason(
        category="x", decision=None, limit="not gated", limit_pp=None, sentence="", delta=build.delta("x")
    )
    assert table_row(reason)[-2:] == ("not gated", "not gated")
