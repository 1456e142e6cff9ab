"""The form of a benchmark's entry: who made it, what it measures, and how its file is read. `published` lists them."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from pydantic import JsonValue

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.data.table_files import Row
from components.shared.errors import ConfigError
from components.shared.vocabulary import Expectation

OPEN = "open"
"""The gating of a file that anybody can download without an account and without accepting terms."""

Repeats = Literal["refuse", "drop"]


class Options(NamedTuple):
    """How a suite wants the rows of its source to be read.

    Attributes:
        include: the values to keep, by raw column; a row is kept if it has one of the values in every column. In a cell
            that is a list, any item may match.
        columns: custom only: the file's column by field of a prompt.
        expectation: custom only: for rows without an expectation.
        category: custom only: for rows without a category.
        suite: custom only: prefix of the ids of rows without an id.
    """

    include: Mapping[str, Sequence[str]] = MappingProxyType({})
    columns: Mapping[str, str] = MappingProxyType({})
    expectation: Expectation | None = None
    category: str | None = None
    suite: str = "custom"


Read = Callable[[bytes, str, Options], list[SuitePrompt]]
"""Reads the bytes of a source file.

Args: the bytes; the file's address, for errors and because some names say what the file holds; the options.
Raises: DataError, naming file, line, column, value and cure; ConfigError for options that do not fit the file.
"""


class Benchmark(NamedTuple):
    """A published benchmark, or a file format.

    Attributes:
        name: its name in suites, and the first part of its prompts' categories and ids.
        title: its name in the paper.
        licence: SPDX identifier of the data's licence, as its authors state it.
        gating: `open`, or how to get access.
        citation: the paper.
        origin: the file and the repository that has it.
        columns: columns that every row must have; further columns are allowed.
        expectation: what an acceptable answer does, unless a suite changes it; None if it differs by row.
        measures: what it measures and what it does not show, in a sentence or two.
        read: reads its file.
        repeats: whether a row that repeats another row's text is an error (for files that are known to have none), or
            is left out with a warning (for files that were published with repetitions, or may have some).
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
        present = {value for row in rows for value in _values(row.cells.get(column))}
        known = list(dict.fromkeys(name for row in rows for name in row.cells))
        if column not in known:
            raise ConfigError(
                f"{where}: include: there is no column {column!r}{did_you_mean(column, known)}; the columns are "
                f"{', '.join(map(repr, known))}"
            )
        for value in wanted:
            if value not in present:
                listed = ", ".join(map(repr, sorted(present)[:20]))
                raise ConfigError(
                    f"{where}: include.{column}: no row has {value!r}{did_you_mean(value, present)}; rows have {listed}"
                )
    kept = [
        row
        for row in rows
        if all(not set(wanted).isdisjoint(_values(row.cells.get(column))) for column, wanted in include.items())
    ]
    if not kept:
        raise ConfigError(f"{where}: include: no row meets all of {dict(include)!r}; remove one of the conditions")
    return kept


def file_name(where: str) -> str:
    """The last part of an address; prompts keep only this of their source, for folders differ between machines."""
    return where.replace("\\", "/").rpartition("/")[2]


def file_stem(where: str) -> str:
    """The file's name without its ending."""
    return file_name(where).rpartition(".")[0] or file_name(where)


def source_of(title: str, row: Row) -> str:
    """A prompt's `source`: the benchmark, and the file and line that the prompt is from."""
    return f"{title}, {file_name(row.place)}"


def _values(cell: JsonValue) -> list[str]:
    items = cell if isinstance(cell, list) else [cell]
    return [str(item) for item in items if item is not None]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint at the most similar known name, for an error message; empty if none is similar."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
