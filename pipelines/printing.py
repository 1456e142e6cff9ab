"""Prints tables that fit the terminal, and plain lines: nothing in a text is markup or controls the terminal."""

import json
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from components.shared.texts.shown import on_console

if TYPE_CHECKING:
    from rich.console import Console

_CONTROLS = re.compile(r"[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Those that JSON leaves as they are."""
_WIDTH = 132
"""Columns where the output is not a terminal."""


def console() -> "Console":
    """A console on standard output, as wide as the terminal; elsewhere wide enough for all our tables."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """Prints a table.

    Args:
        title: the line above it; empty for none.
        columns: heads.
        rows: cells, as many as columns.
        left: number of left-aligned columns; the others are right-aligned.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(on_console(title)) if title else None, title_justify="left", title_style="bold", pad_edge=False
    )
    for index, column in enumerate(columns):
        table.add_column(Text(on_console(column)), justify="left" if index < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(on_console(cell)) for cell in row))
    console().print(table)


def print_line(text: str) -> None:
    """Prints a line as it is: not wrapped, so that paths and commands can be copied."""
    console().print(on_console(text), markup=False, soft_wrap=True)


def echo(text: str = "", err: bool = False) -> None:
    """Writes lines as they are, on standard output or standard error, whatever the width of the terminal."""
    typer.echo(on_console(text), err=err)


def echo_json(content: object) -> None:
    """Writes JSON for programs, in which every character that could control a terminal is escaped."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    typer.echo(_CONTROLS.sub(lambda control: f"\\u{ord(control.group()):04x}", text))


def one_line(text: str, longest: int) -> str:
    """A text from outside as one short line: spacing collapsed, control characters made visible."""
    line = on_console(" ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
