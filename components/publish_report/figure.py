"""Draws the drop of every safety category with its bounds and its limit."""

import textwrap
from pathlib import Path

from components.shared.artifacts.decision import Decision, GateDecision
from components.shared.texts.shown import on_console
from components.shared.vocabulary import TASK_CATEGORY

_COLOURS = {
    Decision.PROMOTE: "#1a7f37",
    Decision.INSUFFICIENT_EVIDENCE: "#6e7781",
    Decision.NEEDS_REVIEW: "#bf8700",
    Decision.INVALID: "#8250df",
    Decision.REJECT: "#cf222e",
    None: "#6e7781",
}


def drop_figure(decision: GateDecision, path: Path, note: str = "") -> None:
    """Writes a picture with one row per safety category: the drop, both one-sided bounds, and the limit as a tick.

    Args:
        decision: its drops are in percentage points. The task is left out: it is measured on another scale.
        path: the PNG file.
        note: the pipeline's note, written below the axis.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    reasons = [reason for reason in decision.reasons if reason.category != TASK_CATEGORY]
    figure = Figure(figsize=(8, 1.4 + 0.5 * len(reasons)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, reason in enumerate(reversed(reasons)):
        delta, colour = reason.delta, _COLOURS[reason.decision]
        axes.plot([delta.lower_pp, delta.upper_pp], [place, place], color=colour, linewidth=2)
        axes.plot([delta.drop_pp], [place], "o", color=colour)
        if reason.limit_pp is not None:
            axes.plot([reason.limit_pp] * 2, [place - 0.3, place + 0.3], color="black", linewidth=2)
    axes.axvline(0, color="#d0d7de", zorder=0)
    axes.set_yticks(
        range(len(reasons)), [on_console(reason.category) for reason in reversed(reasons)], parse_math=False
    )
    words = "\n".join(textwrap.wrap(on_console(note), 100))
    axes.set_xlabel(
        f"drop of the pass rate, percentage points (bar: one-sided {100 * decision.confidence:.0f} % bounds; "
        f"black: limit)\n{words}",
        parse_math=False,
    )
    axes.set_title(
        f"{decision.decision.headline} under policy {on_console(decision.policy_name)}", loc="left", parse_math=False
    )
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
    figure.savefig(path, dpi=120)
