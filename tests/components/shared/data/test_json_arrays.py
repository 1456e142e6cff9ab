"""JSON arrays, read one object at a time."""

import io
import json
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.data import json_arrays


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=9) | st.integers(), max_size=3), max_size=9),
    st.integers(1, 40),
    st.sampled_from([None, 0, 2]),
)
def test_a_json_array_is_read_piece_by_piece(rows: list, chunk: int, indent: int | None):
    """Wherever a piece ends, the objects are those that the whole file holds."""
    with patch.object(json_arrays, "_CHUNK", chunk):
        assert list(json_arrays.array_items(io.StringIO(json.dumps(rows, indent=indent)))) == rows


@pytest.mark.parametrize(
    "text", ["", "{}", "[", "[{}", "[{},", "[{}]x", "[{} {}]", "[1]", '[{"a": NaN}]', '[{"a": 1,}]', '[{"a": ']
)
def test_what_is_no_array_of_objects_is_a_value_error(text: str):
    """The caller says where: it reads the whole file then."""
    with pytest.raises(ValueError, match=r"^no |^not JSON|^text after the array"):
        list(json_arrays.array_items(io.StringIO(text)))


def test_brackets_without_end_are_a_value_error():
    """No RecursionError comes through."""
    with pytest.raises(ValueError, match="not JSON"):
        list(json_arrays.array_items(io.StringIO("[" + '{"a":' * 100_000)))
