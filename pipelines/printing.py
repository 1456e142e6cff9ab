"""How commands print: tables that fit the terminal, and plain lines that no markup changes."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = 132
"""Columns where the output is not a terminal."""


def console() -> "Console":
    """Where tables go: as wide as the terminal, or wide enough for every table of ours."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """Prints a table.

    Args:
        title: the line above it; empty for none.
        columns: heads.
        rows: cells, as many as columns; nothing in them is markup.
        left: so many first columns are left-aligned, the others right-aligned.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


def print_line(text: str) -> None:
    """Prints a line as it is: not wrapped, so that paths and commands can be copied."""
    console().print(text, markup=False, soft_wrap=True)


def one_line(text: str, longest: int) -> str:
    """A text from outside as one short line: spacing collapsed, control characters made visible."""
    line = "".join(character if character.isprintable() else " " for character in " ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def visible(text: str) -> str:
    """A text from outside with its line breaks, and every other control or invisible character as its code."""
    return "".join(
        character if character.isprintable() or character == "\n" else f"<{ord(character):04x}>" for character in text
    )
