"""Shows the stages' lines of a running pipeline: with live rows on a terminal, as plain lines elsewhere.

Everything else that kfp and the steps print goes to the run's log file.
"""

import io
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from components.shared.progress import Count, read_count, stage_of
from components.shared.texts.shown import on_console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_ESTIMATE_S = 600.0
"""The remaining time is estimated from the progress of these last seconds."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""Colours in the lines of kfp and libraries; other control sequences are shown as text."""
_TASK_ENDED = "finished with status"
"""In a line of kfp's; tasks of a local run are executed one after the other."""


class RunOutput(io.TextIOBase):
    """A stream that writes everything to a log file and shows the stages' lines.

    Args:
        log: the file.
        screen: where lines are shown.
        verbose: whether all lines are shown, all of them plain.
    """

    def __init__(self, log: Path, screen: TextIO, verbose: bool) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("a", encoding="utf-8")
        self._verbose = verbose
        self._display = StageDisplay(screen, plain=verbose)
        self._line = ""

    def write(self, text: str) -> int:
        """See `TextIO.write`."""
        self._log.write(text)
        self._log.flush()
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            if self._verbose:
                self._display.show(line.rstrip("\r").rpartition("\r")[2])  # the last state of a bar
            elif stage_of(line) is not None:
                self._display.show(line.strip())
            elif _TASK_ENDED in line:
                self._display.end_stages()
        return len(text)

    def flush(self) -> None:
        """See `TextIO.flush`."""
        self._log.flush()

    def close(self) -> None:
        """Closes log and display; the screen stays open."""
        super().close()
        self._log.close()
        self._display.close()


class _Place(NamedTuple):
    run: str
    stage: str


class _StageRow(NamedTuple):
    task: "TaskID"
    total: int | None
    """None while the stage counts nothing."""


class StageDisplay:
    """Shows stages' lines: on a terminal with one live row per running stage, elsewhere as they are.

    Args:
        screen: where lines are shown.
        plain: shows no live rows on a terminal either.
    """

    def __init__(self, screen: TextIO, plain: bool = False) -> None:
        self._screen = screen
        self._rows: dict[_Place, _StageRow] = {}
        self._live = None if plain or os.environ.get("CI") else _live_rows(screen)

    def show(self, line: str, run: str = "") -> None:
        """Shows a line; on a terminal a count moves its stage's bar instead.

        Args:
            line: what a stage printed.
            run: name put in front, where several runs share the display.
        """
        text = on_console(_COLOUR.sub("", f"{run:8} {line}" if run else line))
        if self._live is None:
            self._screen.write(f"{text}\n")
            self._screen.flush()
            return
        stage, count = stage_of(line), read_count(line)
        if count is None or count.done >= count.total:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        if stage is not None:
            self._move(self._live, _Place(run, stage), count)

    def end_stages(self, run: str = "", but: str = "") -> None:
        """Removes the rows of a run's stages, one excepted."""
        for place in list(self._rows):
            if self._live is not None and place.run == run and place.stage != but:
                self._live.remove_task(self._rows.pop(place).task)

    def close(self) -> None:
        """Removes the live rows; the screen stays open."""
        if self._live is not None:
            self._live.stop()

    def _move(self, live: "Progress", place: _Place, count: Count | None) -> None:
        """Brings a stage's row up to date, and removes those of the run's earlier stages."""
        if not place.stage.startswith("worker_"):  # the workers of an evaluation run beside it and each other
            self.end_stages(place.run, but=place.stage)
        total = count.total if count is not None and count.done < count.total else None
        row = self._rows.get(place)
        if row is not None and count is not None and row.total != total:  # a count begins or ends
            live.remove_task(row.task)
            row = None
        if row is None:
            row = _StageRow(live.add_task(f"{place.run:8} [{place.stage}]".strip(), total=total, text=""), total)
            self._rows[place] = row
        if count is not None and total is not None:
            live.update(row.task, completed=count.done, text=count.text)


def _live_rows(screen: TextIO) -> "Progress | None":
    """The live part of a display; None where the screen cannot show it."""
    if not screen.isatty():
        return None
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(file=screen)
    if console.is_dumb_terminal:
        return None
    live = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[text]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        expand=True,
        transient=True,
        refresh_per_second=4,
        redirect_stdout=False,
        redirect_stderr=sys.stderr.isatty(),
        speed_estimate_period=_ESTIMATE_S,
    )
    live.start()
    return live
