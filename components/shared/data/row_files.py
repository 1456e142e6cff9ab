"""Finds the files of an address, and reads their rows: JSONL, JSON, CSV, Parquet and Arrow, gzipped or not."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from components.shared import storage
from components.shared.data.table_files import csv_rows, decode, read_json
from components.shared.errors import DataError
from components.shared.jsonl import parse_objects

_SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".arrow")
_BESIDE = frozenset({"dataset_info.json", "state.json", "README.md", "LICENSE"})
"""Files that data sets have beside their rows."""


def list_files(address: str) -> list[str]:
    """The file itself; of a folder, or of everything below an s3:// address, its files in order of their names.

    Raises:
        DataError: a folder has no files of rows, or something else in it.
        StorageError: the store does not say.
    """
    if storage.is_s3(address):
        if not address.endswith("/") and storage.exists(address):
            return [address]
        found = storage.list_addresses(address)
        if not found and not address.endswith("/"):
            return [address]  # reading it says that it is missing
    elif Path(address).is_dir():
        found = sorted(str(path) for path in Path(address).iterdir())
    else:
        return [address]
    folder = f"{address.rstrip('/')}/"
    files = [file for file in found if file != folder and not _is_beside(file.rpartition("/")[2])]
    for file in files:
        if "/" in file.removeprefix(folder).strip("/") or not _kind(file)[0]:
            raise DataError(
                f"{file}: lies in a folder of rows; expected only files that end with {', '.join(_SUFFIXES)} (or .gz "
                "after it): move it elsewhere, or name one file"
            )
    if not files:
        raise DataError(f"{address}: the folder holds no files of rows; expected some that end with {_SUFFIXES}")
    return files


def read_rows(content: bytes, where: str) -> Iterable[tuple[int, dict[str, Any]]]:
    """The rows of a file, each with its line; in JSON, Parquet and Arrow with its number, from 1.

    The end of the name says what it is; a file with another end is read as JSONL. CSV cells are texts.

    Args:
        content: the file's bytes.
        where: its address.

    Raises:
        DataError: it is not such a file.
    """
    kind, zipped = _kind(where)
    if zipped:
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{where}: not a whole gzip file: {error}; write it again") from None
    if kind == ".csv":
        return csv_rows(decode(content, where), where)
    if kind in {".parquet", ".arrow"}:
        return _table_rows(content, where, kind)
    if kind == ".json" and content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        return [(row.number, row.cells) for row in read_json(decode(content, where), where)]
    return parse_objects(content.split(b"\n"), where)


def _table_rows(content: bytes, where: str, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow  # type: ignore[import-untyped,unused-ignore]
    from pyarrow import ipc, parquet  # type: ignore[import-untyped,unused-ignore]

    source = pyarrow.BufferReader(content)
    try:
        if kind == ".parquet":
            table = parquet.read_table(source)
        else:
            opened = ipc.open_file if content.startswith(b"ARROW1") else ipc.open_stream
            table = opened(source).read_all()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{where}: not a whole {kind[1:]} file: {error}") from None
    if repeated := sorted({name for name in table.column_names if table.column_names.count(name) > 1}):
        raise DataError(f"{where}: has several columns {repeated[0]!r}; expected one of each name: rename them")
    rows = (row for batch in table.to_batches(max_chunksize=1000) for row in batch.to_pylist())
    yield from enumerate(rows, start=1)


def _kind(name: str) -> tuple[str, bool]:
    """The end of a name that says what the file is (empty: another end), and whether it is gzipped."""
    path = PurePosixPath(name.lower())
    zipped = path.suffix == ".gz"
    suffix = path.with_suffix("").suffix if zipped else path.suffix
    return (suffix if suffix in _SUFFIXES else ""), zipped


def _is_beside(name: str) -> bool:
    return name in _BESIDE or name.startswith((".", "_"))
