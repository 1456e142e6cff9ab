"""Prints the end of a run: the table of categories, the decision, and where to look."""

from typing import TYPE_CHECKING

from components.shared.artifacts.decision import Decision, GateDecision
from components.shared.config.sections import PipelineConfig
from components.shared.gate.decision_table import COLUMNS, table_row
from components.shared.texts.shown import on_console
from pipelines.printing import console, echo, print_line

if TYPE_CHECKING:
    from pipelines.running.launch import LocalRunResult

_COLOURS = {Decision.PROMOTE: "green", Decision.REJECT: "red", Decision.NEEDS_REVIEW: "yellow"}
_OTHER_COLOUR = "magenta"


def show_result(result: "LocalRunResult", config: PipelineConfig) -> None:
    """Prints how a run ended; for a failed run the error alone, even if there is a decision."""
    echo()
    if result.error is not None:
        echo(f"error: the run failed: {result.error}", err=True)
        echo(f"  full log: {result.log}", err=True)
        echo(f"  MLflow run: {result.run_id} in experiment {config.tracking.experiment!r}", err=True)
        return
    if result.report is not None and result.report.gate is not None:
        show_decision(result.report.gate)
        if config.note:
            echo(f"  note: {config.note}")
        if result.report.gate.decision is Decision.NEEDS_REVIEW:
            echo(f"  review it: plimsoll review {result.run_id}")
        if result.report.model_version is not None:
            name, version = result.report.model_name, result.report.model_version
            echo(f"  registered: models:/{name}@champion is version {version}")
    echo(
        f"  in MLflow: experiment {config.tracking.experiment!r}, run {result.run_id}, artifact report.md "
        "(`plimsoll ui`)"
    )


def show_decision(gate: GateDecision) -> None:
    """Prints the table of categories, the decision, and why."""
    from rich.table import Table
    from rich.text import Text

    table = Table(pad_edge=False)
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if 0 < index < 5 else "left", no_wrap=index != 4)
    for reason in gate.reasons:
        *cells, verdict = table_row(reason)
        colour = "dim" if reason.decision is None else _COLOURS.get(reason.decision, _OTHER_COLOUR)
        table.add_row(*(Text(on_console(cell)) for cell in cells), Text(verdict, style=colour))
    console().print(table)
    headline = Text(gate.decision.headline, style=f"bold {_COLOURS.get(gate.decision, _OTHER_COLOUR)}")
    console().print(headline, end=": ", soft_wrap=True)
    print_line(gate.summary.partition(": ")[2])
    for problem in gate.problems:
        print_line(f"  invalid: {problem}")
    for reason in gate.reasons:
        print_line(f"  {reason.sentence}")
    for caution in gate.cautions:
        print_line(f"  caution: {caution}")
