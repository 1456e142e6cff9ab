"""Reads checked values from the cells of a row: texts that are not empty, not placeholders, and valid Unicode."""

import re

from pydantic import JsonValue

from components.shared.data.table_files import Row
from components.shared.errors import DataError

_SLUG = re.compile(r"[\W_]+")

_PLACEHOLDERS = (
    re.compile(r"#\s*[A-Za-z][\w '-]*\s\d+"),  # "# Harmful Instruction 1", as in published format examples
    re.compile(r"<[^<>\n]{0,60}>"),
    re.compile(r"\[[^\[\]\n]{0,60}\]"),
    re.compile(r"\{+[\w .,'-]{0,60}\}+"),
    re.compile(r"(?:TODO|TBD|FIXME|XXX+)(?:\s*[:.-].*)?", re.DOTALL),
    re.compile(r"(?i:n/?a|nan|null|none|placeholder|lorem ipsum.*|\.{2,}|…|-+|\?+)", re.DOTALL),
)
"""Patterns of a whole cell that was never filled in; as part of a longer text they are allowed."""

_INSERT = re.compile(r"\[\s*INSERT\b[^\]]*\]")


def placeholder(text: str) -> str | None:
    """The part of a text that is a placeholder, or None."""
    stripped = text.strip()
    if any(pattern.fullmatch(stripped) for pattern in _PLACEHOLDERS):
        return stripped
    insert = _INSERT.search(text)
    return insert.group() if insert else None


def text(row: Row, column: str) -> str:
    """The text of a cell, as it is.

    Raises:
        DataError: it is missing, empty, no text, or cannot be written as UTF-8.
    """
    value = row.cells.get(column)
    if not isinstance(value, str):
        problem = "missing" if column not in row.cells or value is None else f"got {_short(value)}; expected text"
        raise DataError(f"{row.place}: column {column!r}: {problem}; fill the cell or remove the row")
    if not value.strip():
        raise DataError(f"{row.place}: column {column!r}: is empty; fill the cell or remove the row")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{row.place}: column {column!r}: character {error.start} is half of a surrogate pair; write both halves"
        ) from None
    return value


def prompt_text(row: Row, column: str) -> str:
    """The text of a cell that is put to a model.

    Raises:
        DataError: as `text`, or the cell was never filled in.
    """
    value = text(row, column)
    if unfilled := placeholder(value):
        raise DataError(
            f"{row.place}: column {column!r}: {_short(unfilled)} is a placeholder, not a prompt; this file shows a "
            "format and holds no data: get the data set itself"
        )
    return value


def optional_text(row: Row, column: str) -> str | None:
    """The text of a cell, or None if it is missing, null or empty.

    Raises:
        DataError: it is no text.
    """
    value = row.cells.get(column)
    return None if value is None or (isinstance(value, str) and not value.strip()) else text(row, column)


def one_of(row: Row, column: str, expected: tuple[str, ...]) -> str:
    """The text of a cell that must be one of a few values.

    Raises:
        DataError: it is another value.
    """
    value = text(row, column)
    if value not in expected:
        raise DataError(f"{row.place}: column {column!r}: got {_short(value)}; expected {' or '.join(expected)}")
    return value


def texts(row: Row, column: str) -> tuple[str, ...]:
    """The texts of a cell that is a list of at least one text.

    Raises:
        DataError: it is something else.
    """
    value = row.cells.get(column)
    items = tuple(item for item in value if isinstance(item, str) and item) if isinstance(value, list) else ()
    if not isinstance(value, list) or not items or len(items) < len(value):
        raise DataError(f"{row.place}: column {column!r}: got {_short(value)}; expected a list of texts")
    return items


def whole_number(row: Row, column: str) -> int:
    """The whole number in a cell, 0 or above.

    Raises:
        DataError: it is something else.
    """
    value = row.cells.get(column)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DataError(f"{row.place}: column {column!r}: got {_short(value)}; expected a whole number, 0 or above")
    return value


def slug(name: str) -> str:
    """A name for categories and tags: lower case, words joined by underscores."""
    return _SLUG.sub("_", name.casefold()).strip("_") or "unnamed"


def _short(value: JsonValue) -> str:
    return repr(value if not isinstance(value, str) else value[:80])
