"""Reads answers that people have labelled: CSV or JSONL, UTF-8 with or without BOM, with any line ends.

A row has a prompt, an answer and a label; further columns hold what some judges need (caveats, a reference, a system
prompt).
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from components.shared import storage
from components.shared.digests import digest_bytes
from components.shared.errors import DataError, StorageError
from components.shared.jsonl import parse_objects
from components.shared.vocabulary import Verdict

LABEL_VERDICTS = (Verdict.PASS, Verdict.PARTIAL, Verdict.FAIL, Verdict.INCOHERENT)
"""The verdicts that a label may stand for."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "prompt": ("prompt", "question", "goal"),
    "answer": ("answer", "completion", "response", "output"),
    "label": ("label", "final_label", "human"),
}
"""The fields of every row, and the column names that are recognised for each."""

OPTIONAL = ("system", "reference", "caveats", "constraints")
"""Fields that are read if a column has exactly this name, or is named with --columns."""


class LabelledRow(NamedTuple):
    """One labelled answer; `line` is where it begins in the file, counted from 1."""

    line: int
    prompt: str
    answer: str
    label: str
    extras: Mapping[str, JsonValue]


class LabelledFile(NamedTuple):
    """The rows of a file, and what names it."""

    address: str
    sha256: str
    columns: Mapping[str, str]
    rows: tuple[LabelledRow, ...]

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return self.address.rpartition("/")[2]


class _FileRow(NamedTuple):
    line: int
    cells: Mapping[str, JsonValue]


def read_labelled(address: str, columns: Mapping[str, str] | None = None) -> LabelledFile:
    """Reads a labelled file.

    Args:
        address: path or s3:// address. `.csv` is CSV, `.jsonl` JSONL; else a file that begins with `{` is JSONL.
        columns: the file's column by field (`prompt`, `answer`, `label`, or one of `OPTIONAL`); other fields are
            guessed from the column names.

    Raises:
        DataError: the file is missing or empty, not UTF-8, malformed, or a column is missing or not unique; the
            message names file, line and columns.
    """
    content = _content(address)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{address}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    records = list(_json_lines(text, address) if _is_json(address, text) else _csv_records(text, address))
    if not records:
        raise DataError(f"{address}: holds no rows; expected one labelled answer per row")
    known = list(dict.fromkeys(name for record in records for name in record.cells))
    chosen = _choose(known, dict(columns or {}), address)
    rows = tuple(_row(record, chosen, address) for record in records)
    return LabelledFile(address, digest_bytes(content), chosen, rows)


def read_verdicts(file: LabelledFile, label_map: Mapping[str, Verdict]) -> tuple[Verdict, ...]:
    """The verdict of each row's label, in row order; a label that is itself a verdict needs no entry in the map.

    Raises:
        DataError: a label has no verdict; the message lists all labels with their counts, and the flag to add.
    """
    known = {verdict.value: verdict for verdict in LABEL_VERDICTS} | dict(label_map)
    counts = Counter(row.label for row in file.rows)
    unknown = sorted(label for label in counts if label not in known)
    if unknown:
        column = file.columns["label"]
        listed = ", ".join(f"{label!r} ({count})" for label, count in sorted(counts.items()))
        cure = f"add --labels-map {','.join(f'{label}=...' for label in unknown)!r} with {_listed(LABEL_VERDICTS)}"
        if "" in unknown:
            cure = "label the empty rows or take them out of the file" + (f"; {cure}" if len(unknown) > 1 else "")
        raise DataError(
            f"{file.address}: column {column!r}: no verdict for {', '.join(map(repr, unknown))}; the labels are "
            f"{listed}; {cure}"
        )
    return tuple(known[row.label] for row in file.rows)


def _content(address: str) -> bytes:
    try:
        if not storage.exists(address):
            raise DataError(f"{address}: there is no such file of labels")
        return storage.read_bytes(address)
    except StorageError as error:
        if storage.is_s3(address):
            raise
        raise DataError(str(error)) from None


def _is_json(address: str, text: str) -> bool:
    name = address.lower()
    return name.endswith((".jsonl", ".ndjson")) or (not name.endswith(".csv") and text.lstrip().startswith("{"))


def _json_lines(text: str, address: str) -> Iterator[_FileRow]:
    for number, cells in parse_objects(text.encode().split(b"\n"), address):
        yield _FileRow(number, cells)


def _csv_records(text: str, address: str) -> Iterator[_FileRow]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins, line = 0, 1
    try:
        header = next(reader, [])
        repeated = [name for name, count in Counter(header).items() if name and count > 1]
        if repeated:
            raise DataError(f"{address}:1: column {repeated[0]!r} occurs twice; give each column its own name")
        begins = reader.line_num
        for cells in reader:
            line, begins = begins + 1, reader.line_num
            if not cells:
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"{address}:{line}: {len(cells)} cells, but the header has {len(header)}; quote cells that hold "
                    "commas or line breaks"
                )
            yield _FileRow(line, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise DataError(f"{address}:{begins + 1}: not valid CSV: {error}") from None


def _choose(known: Sequence[str], asked: dict[str, str], address: str) -> dict[str, str]:
    fields = [*REQUIRED, *OPTIONAL]
    listed = f"the columns are {', '.join(map(repr, known))}"
    for field, column in asked.items():
        if field not in fields:
            raise DataError(f"--columns: {field!r} is not read; expected {', '.join(fields)}")
        if column not in known:
            raise DataError(f"{address}: there is no column {column!r} for {field}; {listed}")
    chosen = {name: name for name in OPTIONAL if name in known} | asked
    for field, names in REQUIRED.items():
        if field in chosen:
            continue
        fitting = [column for column in known if column.strip().lower() in names]
        if len(fitting) != 1:
            what = f"{' and '.join(map(repr, fitting))} fit {field}" if fitting else f"no column looks like {field}"
            example = fitting[0] if fitting else "NAME"
            raise DataError(f"{address}: {what}; {listed}; choose one, such as --columns {field}={example}")
        chosen[field] = fitting[0]
    return {field: chosen[field] for field in fields if field in chosen}


def _row(record: _FileRow, columns: Mapping[str, str], address: str) -> LabelledRow:
    line = record.line

    def text(field: str) -> str:
        value = record.cells.get(columns[field])
        if field == "label" and isinstance(value, bool | int | float):
            return json.dumps(value)
        if not isinstance(value, str):
            raise DataError(f"{address}:{line}: {columns[field]}: got {json.dumps(value)[:80]}; expected text")
        return value

    prompt = text("prompt")
    if not prompt.strip():
        raise DataError(f"{address}:{line}: {columns['prompt']}: empty; a judge reads the prompt as well")
    extras = {
        field: record.cells[column]
        for field, column in columns.items()
        if field in OPTIONAL and record.cells.get(column) not in (None, "")
    }
    return LabelledRow(line, prompt, text("answer"), text("label").strip(), extras)


def _listed(verdicts: Sequence[Verdict]) -> str:
    words = [verdict.value for verdict in verdicts]
    return f"{', '.join(words[:-1])} or {words[-1]}"
