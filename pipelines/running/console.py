"""What a person sees of a local run: the stages' own lines while it lasts, a table and the decision at the end.

Everything else that kfp and the steps print goes to the run's log file.
"""

import io
import sys
from pathlib import Path
from typing import TextIO

from components.shared.artifacts.decision import GateDecision
from components.shared.gate.decision_table import COLUMNS, table_row
from components.shared.progress import is_progress

_WIDTH = 132
"""Columns of the table where the output is not a terminal."""


class RunOutput(io.TextIOBase):
    """A stream that keeps everything in a log file and shows the stages' own lines.

    Args:
        log: the file.
        screen: where shown lines go.
        verbose: whether everything is shown.
    """

    def __init__(self, log: Path, screen: TextIO, verbose: bool) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("a", encoding="utf-8")
        self._screen = screen
        self._verbose = verbose
        self._line = ""

    def write(self, text: str) -> int:
        """See `TextIO.write`."""
        self._log.write(text)
        self._log.flush()
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            if self._verbose:
                self._screen.write(f"{line}\n")
            elif is_progress(line):
                self._screen.write(f"{line.strip()}\n")
        self._screen.flush()
        return len(text)

    def flush(self) -> None:
        """See `TextIO.flush`."""
        self._log.flush()

    def close(self) -> None:
        """Closes the log; the screen stays open."""
        super().close()
        self._log.close()


def show_decision(gate: GateDecision) -> None:
    """Prints the table of categories, the decision, and why."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    table = Table(title_justify="left", pad_edge=False)
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if 0 < index < 5 else "left", no_wrap=index != 4)
    colours = {"promote": "green", "reject": "red", "needs_review": "yellow"}
    for reason in gate.reasons:
        row = table_row(reason)
        colour = colours.get(row[-1], "dim")
        table.add_row(*row[:-1], f"[{colour}]{row[-1]}[/]")
    console.print(table)
    colour = colours.get(gate.decision.value, "magenta")
    console.print(f"[bold {colour}]{gate.decision.headline}[/]: ", end="", soft_wrap=True)
    console.print(gate.summary.partition(": ")[2], markup=False, highlight=False, soft_wrap=True)
    for problem in gate.problems:
        console.print(f"  invalid: {problem}", markup=False, highlight=False, soft_wrap=True)
    for reason in gate.reasons:
        console.print(f"  {reason.sentence}", markup=False, highlight=False, soft_wrap=True)
