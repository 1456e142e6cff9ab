"""What a published benchmark is to Plimsoll: who made it, what it measures, and how its file is read.

This module does not know any benchmark; `components.shared.suites.benchmarks.published` lists them.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from pydantic import JsonValue

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.errors import ConfigError
from components.shared.suites.benchmarks.table_files import Row
from components.shared.vocabulary import Expectation

OPEN = "open"
"""The gating of a file that anybody can download without an account or a promise."""

Repeats = Literal["refuse", "drop"]


class Options(NamedTuple):
    """What a suite may say about the rows of its source.

    Attributes:
        include: the values to keep, by raw column; a row is kept if it has one of the values in every column. A cell
            that is a list has each of its items.
        columns: custom only: the file's column by field of a prompt.
        expectation: custom only: of rows that do not name their own.
        category: custom only: of rows that do not name their own.
        suite: custom only: begins the ids of rows that have none.
    """

    include: Mapping[str, Sequence[str]] = MappingProxyType({})
    columns: Mapping[str, str] = MappingProxyType({})
    expectation: Expectation | None = None
    category: str | None = None
    suite: str = "custom"


Read = Callable[[bytes, str, Options], list[SuitePrompt]]
"""Reads the bytes of a source file.

Args: the bytes; the file's address, for errors and where its name says what it holds; what to keep.
Raises: DataError, naming file, line, column, value and cure; ConfigError for options that the file cannot meet.
"""


class Benchmark(NamedTuple):
    """A published benchmark, or a form of file.

    Attributes:
        name: what a suite calls it, and the first part of its prompts' categories and ids.
        title: what its authors call it.
        licence: SPDX identifier of the data, as far as its authors state one.
        gating: `open`, or how to get access.
        citation: the paper.
        origin: which file, and from where.
        columns: what every row must have; further columns are allowed.
        expectation: what an acceptable answer does, unless a suite says otherwise; None where rows differ.
        measures: what it measures, and what that does not say, in a sentence or two.
        read: reads its file.
        repeats: whether rows that repeat another's text are an error (as in files that are known to have none), or
            are left out with a warning (as in files that were published with some, or whose siblings may have).
    """

    name: str
    title: str
    licence: str
    gating: str
    citation: str
    origin: str
    columns: tuple[str, ...]
    expectation: Expectation | None
    measures: str
    read: Read
    repeats: Repeats = "refuse"


def select(rows: Sequence[Row], include: Mapping[str, Sequence[str]], where: str) -> list[Row]:
    """The rows that have one of the wanted values in every filtered column.

    Raises:
        ConfigError: a column is not in the file, a value is in no row, or nothing is left.
    """
    for column, wanted in include.items():
        found = {value for row in rows for value in _values(row.cells.get(column))}
        known = list(dict.fromkeys(name for row in rows for name in row.cells))
        if column not in known:
            raise ConfigError(
                f"{where}: include: there is no column {column!r}{_near(column, known)}; the columns are "
                f"{', '.join(map(repr, known))}"
            )
        for value in wanted:
            if value not in found:
                listed = ", ".join(map(repr, sorted(found)[:20]))
                raise ConfigError(
                    f"{where}: include.{column}: no row has {value!r}{_near(value, found)}; rows have {listed}"
                )
    kept = [
        row
        for row in rows
        if all(not set(wanted).isdisjoint(_values(row.cells.get(column))) for column, wanted in include.items())
    ]
    if not kept:
        raise ConfigError(f"{where}: include: no row meets all of {dict(include)!r}; ask for fewer things at once")
    return kept


def file_name(where: str) -> str:
    """The last part of an address: what is told of a source, for folders differ between machines."""
    return where.replace("\\", "/").rpartition("/")[2]


def file_stem(where: str) -> str:
    """The file's name without its ending."""
    return file_name(where).rpartition(".")[0] or file_name(where)


def source_of(title: str, row: Row) -> str:
    """What a prompt's `source` says: the benchmark, and the file and line that it is from."""
    return f"{title}, {file_name(row.place)}"


def _values(cell: JsonValue) -> list[str]:
    items = cell if isinstance(cell, list) else [cell]
    return [str(item) for item in items if item is not None]


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
