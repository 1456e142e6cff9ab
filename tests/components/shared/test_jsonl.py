"""One reader for JSONL; what it says of broken rows is tested with the formats that use it."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from components.shared.errors import DataError
from components.shared.jsonl import parse_objects, parse_rows


class Named(BaseModel):
    name: str


def test_rows_keep_the_numbers_of_their_lines():
    """Blank lines, Windows' line ends and a byte-order mark are passed over; a stream and split bytes are alike."""
    content = b'\xef\xbb\xbf{"name": "a"}\r\n\n  \n{"name": "b"}'
    expected = [(1, {"name": "a"}), (4, {"name": "b"})]
    assert list(parse_objects(content.split(b"\n"), "f")) == list(parse_objects(io.BytesIO(content), "f")) == expected
    assert [(number, row.model_dump()) for number, row in parse_rows(Named, io.BytesIO(content), "f")] == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"nonsense", r"^f:2: not valid JSON at column 1: .* begins 'nonsense'; expected one JSON object per line$"),
        (b"\xff", r"^f:2: not UTF-8 at byte 0 of the line"),
        (b"[1]", r"^f:2: holds list '\[1\]'; expected a JSON object"),
        (b'{"name": Infinity}', "^f:2: cannot be read as JSON: Infinity is no JSON value"),
        (b"[" * 100_000, "^f:2: cannot be read as JSON: "),
    ],
)
def test_what_is_no_object_is_named(line: bytes, message: str):
    """The rows before it are read; file, line and cure are in the error."""
    rows = parse_objects([b"{}", line, b"{}"], "f")
    assert next(rows) == (1, {})
    with pytest.raises(DataError, match=message):
        next(rows)


def test_a_file_that_is_cut_off_is_called_so():
    """Only where nothing but blank lines follows."""
    with pytest.raises(DataError, match=r"f:1: .*; it is the last line: is the file cut off\?$"):
        list(parse_objects([b'{"a": ', b"  "], "f"))


def test_what_is_no_row_of_the_model_is_named():
    """File, line, field and value."""
    with pytest.raises(DataError, match=r"^f:1: name: Input should be a valid string; got '3'"):
        list(parse_rows(Named, [b'{"name": 3}'], "f"))
    with pytest.raises(DataError, match=r"^f:1: row: Invalid JSON"):
        list(parse_rows(Named, [b"nonsense"], "f"))


@given(st.lists(st.binary(max_size=40), max_size=3))
def test_arbitrary_bytes_are_rows_or_a_data_error(lines: list[bytes]):
    """Nothing else is raised."""
    for rows in (parse_objects(lines, "f"), parse_rows(Named, lines, "f")):
        with suppress(DataError):
            list(rows)
