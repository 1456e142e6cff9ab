"""Reads the rows of CSV, JSONL, JSON and plain-text files, each with its file and line.

UTF-8 with or without a byte-order mark, any line ends; CSV cells may contain line breaks. Cells are kept as they are.
"""

import csv
import difflib
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, NoReturn, TextIO

from pydantic import JsonValue

from components.shared.errors import DataError
from components.shared.jsonl import parse_objects
from components.shared.texts.packed import packed

_LONGEST_CELL = 1 << 31
"""Characters; the csv module's own limit is 131072."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Row(NamedTuple):
    """One row of a source file.

    `place` is the file and where the row begins (`f.csv:12`, or `f.json: item 3`); `number` counts rows from 1.
    """

    cells: dict[str, JsonValue]
    place: str
    number: int


def decode(content: bytes, where: str) -> str:
    """The text of UTF-8 bytes, without a byte-order mark.

    Raises:
        DataError: it is packed, or not UTF-8; byte offset (from 0) and line (from 1) are named.
    """
    if problem := packed(content):
        raise DataError(f"{where}: {problem}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        line = content.count(b"\n", 0, start) + 1
        guess = "UTF-16" if content.startswith(_UTF16) else "an old 8-bit encoding such as Windows-1252"
        raise DataError(
            f"{where}:{line}: byte {start} ({content[start]:#04x}) is not UTF-8; the file looks like {guess}: save it "
            "as UTF-8"
        ) from None


def read_csv(text: str, where: str) -> list[Row]:
    """Rows of a CSV file whose first line names the columns.

    Raises:
        DataError: a quote is left open, a row has too many or too few cells, or a column name occurs twice.
    """
    return [
        Row(dict(cells), f"{where}:{line}", number)
        for number, (line, cells) in enumerate(iterate_csv(io.StringIO(text, newline=""), where), start=1)
    ]


def iterate_csv(stream: TextIO, where: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The same rows one at a time, each with the line on which it begins.

    Args:
        stream: the file's text, with its line ends as they are.
        where: its address, for errors.

    Raises:
        DataError: as `read_csv`.
    """
    records = iterate_records(stream, where)
    _, header = next(records, (1, []))
    if not header:
        raise DataError(f"{where}: is empty; expected a line of column names, then rows")
    for name, count in Counter(header).items():
        if count > 1:
            raise DataError(f"{where}:1: column {name!r} occurs {count} times; give each column its own name")
    for line, cells in records:
        if len(cells) != len(header):
            raise DataError(
                f"{where}:{line}: has {len(cells)} cells, expected {len(header)} ({', '.join(header)}): put cells that "
                "hold commas, quotes or line breaks into double quotes"
            )
        yield line, dict(zip(header, cells, strict=True))


def read_records(text: str, where: str) -> list[tuple[int, list[str]]]:
    """The cells of each CSV record, header included, with the line on which it begins; blank lines are left out.

    Raises:
        DataError: the file is not CSV, or ends inside a quoted cell.
    """
    return list(iterate_records(io.StringIO(text, newline=""), where))


def iterate_records(stream: TextIO, where: str) -> Iterator[tuple[int, list[str]]]:
    """The same records one at a time.

    Raises:
        DataError: as `read_records`.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    reader, line = csv.reader(stream, strict=True), 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        cut = "; the file ends inside a quoted cell, is it cut off?" if "end of data" in str(error) else ""
        raise DataError(f"{where}:{line}: not valid CSV: {error}{cut}") from None


def read_jsonl(text: str, where: str) -> list[Row]:
    """Rows of a JSONL file, blank lines left out.

    Raises:
        DataError: a line is not one JSON object; for the last line the error asks whether the file is cut off.
    """
    rows = enumerate(parse_objects(text.encode().split(b"\n"), where), start=1)
    return [Row(cells, f"{where}:{line}", number) for number, (line, cells) in rows]


def read_json(text: str, where: str) -> list[Row]:
    """Rows of a JSON file that is a list of objects.

    Raises:
        DataError: it is something else.
    """
    items = _parse(text, where)
    if not isinstance(items, list):
        raise DataError(f"{where}: holds {_kind(items)}, expected a list of objects")
    return [
        Row(_object(item, place := f"{where}: item {number}"), place, number)
        for number, item in enumerate(items, start=1)
    ]


def read_lines(text: str, where: str) -> list[Row]:
    """Rows of a plain-text file, one per line, in the column `text`; blank lines are left out."""
    filled = [(line, content) for line, content in enumerate(text.split("\n"), start=1) if content.strip()]
    return [
        Row({"text": content.removesuffix("\r")}, f"{where}:{line}", number)
        for number, (line, content) in enumerate(filled, start=1)
    ]


def require_columns(rows: Sequence[Row], columns: Iterable[str], where: str, whose: str) -> None:
    """Checks that every row has the columns; further columns are allowed, and can be filtered on.

    Raises:
        DataError: there is no row, or a column is missing.
    """
    if not rows:
        raise DataError(f"{where}: holds no rows; expected the columns {', '.join(columns)}")
    for row in rows:
        if missing := [column for column in columns if column not in row.cells]:
            refuse_columns(list(row.cells), missing, row.place if row.number > 1 else where, whose)


def refuse_columns(present: Sequence[str], missing: Sequence[str], place: str, whose: str) -> NoReturn:
    """Raises the error for missing columns: it lists the file's columns and suggests the most similar one.

    Raises:
        DataError: always.
    """
    folded = {name.casefold(): name for name in present}
    near = difflib.get_close_matches(missing[0].casefold(), folded, n=1, cutoff=0.75)
    hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
    listed = ", ".join(repr(name[:40]) for name in present)
    raise DataError(
        f"{place}: column {missing[0]!r}: missing; {whose} has it, this file has {listed}{hint}; take the "
        "file as published, or read another layout with format: custom and columns"
    )


def _parse(text: str, place: str) -> JsonValue:
    try:
        parsed: JsonValue = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: not valid JSON: {error}") from None
    return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _object(value: JsonValue, place: str) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise DataError(f"{place}: holds {_kind(value)}, expected one JSON object")
    return value


def _kind(value: JsonValue) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
