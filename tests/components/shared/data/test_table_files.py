"""Rows of CSV, JSONL, JSON and text files, and what makes a file unreadable."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.data.table_files import (
    decode,
    read_csv,
    read_json,
    read_jsonl,
    read_lines,
    require_columns,
)
from components.shared.errors import DataError, PlimsollError

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_csv_cells_come_back_as_they_were_written(rows: list[tuple[str, str]]):
    """Quotes, commas, line breaks of any kind and any character survive."""
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    assert [tuple(row.cells.values()) for row in read_csv(decode(stream.getvalue().encode(), "f"), "f")] == rows


@given(st.lists(st.dictionaries(CELLS, CELLS, max_size=3), max_size=5))
def test_jsonl_objects_come_back_as_they_were_written(rows: list[dict[str, str]]):
    """One object per line, whatever it holds."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    assert [row.cells for row in read_jsonl(decode(text.encode(), "f"), "f")] == rows


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_byte_order_marks_and_line_ends_change_nothing(mark: bytes, end: str):
    """The first column's name is clean, and a cell of several lines moves the place of the next row."""
    text = decode(mark + end.join(["a,b", f'"one{end}two",2', "", "3,4"]).encode(), "f.csv")
    rows = read_csv(text, "f.csv")
    assert [(row.cells["a"], row.place, row.number) for row in rows] == [
        (f"one{end}two", "f.csv:2", 1),
        ("3", "f.csv:5", 2),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\nb\né\n".encode("cp1252"), r"^f:3: byte 4 \(0xe9\) is not UTF-8; .*Windows-1252: save it as UTF-8"),
        ("\ufeffa\n".encode() + b"\xff", r"^f:2: byte 5 \(0xff\) is not UTF-8"),
        ("a\n".encode("utf-16"), r"^f:1: byte 0 \(0xff\) is not UTF-8; the file looks like UTF-16"),
    ],
)
def test_other_encodings_name_byte_and_line(content: bytes, message: str):
    """An editor that shows bytes or lines finds the place."""
    with pytest.raises(DataError, match=message):
        decode(content, "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f: is empty; expected a line of column names"),
        ("a,b,a\n1,2,3\n", "f:1: column 'a' occurs 2 times"),
        ("a,b\n1,2\n1,2,3\n", r"f:3: has 3 cells, expected 2 \(a, b\): put cells that hold commas"),
        ('a,b\n1,2\n"1,2\n3,4\n', "f:3: not valid CSV: unexpected end of data; .*is it cut off"),
        ('a,b\n"1"x,2\n', "f:2: not valid CSV"),
    ],
)
def test_malformed_csv_names_the_line(text: str, message: str):
    """The place is where the row begins."""
    with pytest.raises(DataError, match=message):
        read_csv(text, "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n\n{"a": ', r"f:3: not valid JSON at column \d+: .*it is the last line: is the file cut off"),
        ('{"a": \n{"a": 1}', r"f:1: not valid JSON at column \d+: .*; expected one JSON object per line$"),
        ('{"a": 1}\n[1]', r"f:2: holds list '\[1\]'; expected a JSON object"),
        ('{"a": NaN}', "f:1: cannot be read as JSON: NaN is no JSON value"),
    ],
)
def test_malformed_jsonl_names_the_line(text: str, message: str):
    """A file that breaks off is told from one that is wrong in the middle."""
    with pytest.raises(DataError, match=message):
        read_jsonl(text, "f")


def test_json_is_a_list_of_objects():
    """Items are counted, for a JSON file has no telling lines."""
    assert [row.place for row in read_json('[{"a": 1}, {"a": 2}]', "f")] == ["f: item 1", "f: item 2"]
    with pytest.raises(DataError, match="f: holds an object, expected a list of objects"):
        read_json('{"a": 1}', "f")
    with pytest.raises(DataError, match="f: item 2: holds text, expected one JSON object"):
        read_json('[{"a": 1}, "b"]', "f")


def test_lines_keep_their_numbers_over_blank_ones():
    """A text file's rows are its lines that hold something."""
    rows = read_lines("one\r\n\r\nthree\r\n", "f")
    assert [(row.cells["text"], row.place, row.number) for row in rows] == [("one", "f:1", 1), ("three", "f:3", 2)]


def test_missing_columns_say_what_is_there():
    """Further columns are allowed; a renamed one is guessed."""
    rows = read_csv("Prompt,id,extra\nx,1,2\n", "f")
    require_columns(rows, ("id",), "f", "ThisTest")
    with pytest.raises(DataError, match=r"f: column 'prompt': missing; ThisTest has it, this file has 'Prompt', .*did"):
        require_columns(rows, ("prompt",), "f", "ThisTest")
    with pytest.raises(DataError, match="f:2: column 'b': missing"):
        require_columns(read_jsonl('{"a": 1, "b": 2}\n{"a": 1}', "f"), ("a", "b"), "f", "ThisTest")
    with pytest.raises(DataError, match="f: holds no rows; expected the columns a"):
        require_columns([], ("a",), "f", "ThisTest")


@given(st.binary(max_size=60))
def test_arbitrary_bytes_give_rows_or_a_plimsoll_error(content: bytes):
    """No other error escapes."""
    for read in (read_csv, read_jsonl, read_json, read_lines):
        try:
            rows = read(decode(content, "f"), "f")
        except PlimsollError:
            continue
        assert [row.number for row in rows] == list(range(1, len(rows) + 1))
