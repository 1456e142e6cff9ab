"""Reads a custom file: CSV, JSONL or JSON, with a mapping from a prompt's fields to the file's columns.

Texts, categories and ids are taken as they are.
"""

from collections.abc import Callable, Mapping
from typing import Literal, get_args

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.data.table_files import Row, decode, read_csv, read_json, read_jsonl
from components.shared.errors import ConfigError, DataError
from components.shared.suites.benchmarks.benchmark import Options, did_you_mean, select, source_of
from components.shared.suites.benchmarks.cells import optional_text, prompt_text, text, texts
from components.shared.vocabulary import Expectation

Field = Literal["prompt", "id", "category", "system", "reference", "expectation", "caveats", "pair_id", "group"]
"""What a column can be mapped to."""

_READERS: Mapping[str, Callable[[str, str], list[Row]]] = {
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_json,
}


def read_custom(content: bytes, where: str, options: Options) -> list[SuitePrompt]:
    """The rows of a file as prompts; a field without a column and without a value is an error, never guessed."""
    if "prompt" not in options.columns:
        raise ConfigError(f"{where}: columns.prompt: missing; name the column with the prompts")
    for field, value in (("category", options.category), ("expectation", options.expectation)):
        if value is None and field not in options.columns:
            raise ConfigError(f"{where}: {field}: missing; give benchmark.{field}, or columns.{field} to read it")
    read = next((reader for ending, reader in _READERS.items() if where.casefold().endswith(ending)), None)
    if read is None:
        raise ConfigError(f"{where}: of unknown form; expected a name that ends in {', '.join(_READERS)}")
    rows = read(decode(content, where), where)
    if not rows:
        raise DataError(f"{where}: holds no rows; expected one prompt per row")
    _refuse_unknown_columns(rows, options.columns, where)
    return [_prompt(row, options) for row in select(rows, options.include, where)]


def _refuse_unknown_columns(rows: list[Row], columns: Mapping[str, str], where: str) -> None:
    known = list(dict.fromkeys(name for row in rows for name in row.cells))
    for field, column in columns.items():
        if field not in get_args(Field):
            raise ConfigError(f"{where}: columns.{field}: no such field; expected {', '.join(get_args(Field))}")
        if column not in known:
            raise ConfigError(
                f"{where}: columns.{field}: there is no column {column!r}{did_you_mean(column, known)}; the columns "
                f"are {', '.join(map(repr, known))}"
            )


def _prompt(row: Row, options: Options) -> SuitePrompt:
    column = options.columns
    optional = {
        field: optional_text(row, column[field])
        for field in ("system", "reference", "pair_id", "group")
        if field in column
    }
    return SuitePrompt(
        id=_id(row, column["id"]) if "id" in column else f"{options.suite}/{row.number:04d}",
        category=options.category or text(row, column["category"]),
        prompt=prompt_text(row, column["prompt"]),
        expectation=_expectation(row, column["expectation"]) if "expectation" in column else _expected(options),
        caveats=_caveats(row, column["caveats"]) if "caveats" in column else (),
        source=source_of("custom", row),
        **optional,
    )


def _id(row: Row, column: str) -> str:
    value = row.cells.get(column)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(row, column)


def _expectation(row: Row, column: str) -> Expectation:
    value = text(row, column)
    try:
        return Expectation(value.strip())
    except ValueError:
        raise DataError(f"{row.place}: column {column!r}: got {value!r}; expected one of {_LISTED}") from None


def _expected(options: Options) -> Expectation:
    assert options.expectation is not None, "checked before any row is read"  # noqa: S101
    return options.expectation


def _caveats(row: Row, column: str) -> tuple[str, ...]:
    """The phrases of a list, or of a text that separates them by `|`; none if the cell is empty."""
    if isinstance(row.cells.get(column), list):
        return texts(row, column)
    phrases = (optional_text(row, column) or "").split("|")
    return tuple(phrase.strip() for phrase in phrases if phrase.strip())


_LISTED = ", ".join(Expectation)
