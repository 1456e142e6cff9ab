"""Reads JSONL, one JSON object per line, and names file and line of whatever is something else."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from components.shared.errors import DataError
from components.shared.texts.packed import packed

Model = TypeVar("Model", bound=BaseModel)

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse_objects(lines: Iterable[bytes], where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file, each with the number of its line, from 1; blank lines are left out.

    Args:
        lines: the file's lines, in UTF-8, such as a binary stream gives them.
        where: the file's address, for errors.

    Raises:
        DataError: a line is not UTF-8, or is not one JSON object (NaN and infinities are not JSON).
    """
    numbered = _numbered(lines, where)
    for number, line in numbered:
        place = f"{where}:{number}"
        try:
            row = _DECODER.decode(line.decode())
        except UnicodeDecodeError as error:
            raise DataError(f"{place}: not UTF-8 at byte {error.start} of the line; save the file as UTF-8") from None
        except json.JSONDecodeError as error:
            cut = "" if any(numbered) else "; it is the last line: is the file cut off?"
            raise DataError(
                f"{place}: not valid JSON at column {error.colno}: {error.msg}; the line begins "
                f"{line[:60].decode(errors='replace')!r}; expected one JSON object per line{cut}"
            ) from None
        except (ValueError, RecursionError) as error:  # NaN; a number of thousands of digits; brackets without end
            raise DataError(f"{place}: cannot be read as JSON: {error}") from None
        if not isinstance(row, dict):
            raise DataError(f"{place}: holds {type(row).__name__} {str(row)[:60]!r}; expected a JSON object")
        yield number, row


def parse_rows(model: type[Model], lines: Iterable[bytes], where: str) -> Iterator[tuple[int, Model]]:
    """The same, with each object as `model`.

    Raises:
        DataError: a line is not such a row; the message names the field.
    """
    for number, line in _numbered(lines, where):
        try:
            row = model.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "row"
            raise DataError(f"{where}:{number}: {field}: {first['msg']}; got {str(first['input'])[:80]!r}") from None
        yield number, row


def _numbered(lines: Iterable[bytes], where: str) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(lines, start=1):
        if number == 1 and (problem := packed(line)):
            raise DataError(f"{where}: {problem}")
        text = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if text.strip():
            yield number, text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
