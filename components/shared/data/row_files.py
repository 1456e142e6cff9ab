"""Finds the files of an address, and reads their rows one at a time: JSONL, JSON, CSV, Parquet and Arrow, also gzipped.

The `datasets` library is not used for this: its readers give no line numbers, and change the values of columns whose
rows differ in type.
"""

import gzip
import io
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from components.shared import storage
from components.shared.data.json_arrays import array_items
from components.shared.data.table_files import decode, iterate_csv, read_csv, read_json
from components.shared.errors import DataError
from components.shared.jsonl import parse_objects
from components.shared.storage.full_disk import FullDiskError, names_full_disk
from components.shared.texts.packed import packed

_SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".arrow")
_BESIDE = frozenset({"dataset_info.json", "state.json", "README.md", "LICENSE"})
"""Files that data sets have beside their rows."""
_GZIP = b"\x1f\x8b"
_BATCH = 1000
"""Rows of a table that are in memory at once."""

NumberedRows = Iterator[tuple[int, dict[str, Any]]]


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


def refuse_other_files(files: Iterable[str]) -> None:
    """Checks that the names of a data set's files end as files of rows do.

    Raises:
        DataError: one ends otherwise.
    """
    for file in files:
        if not _kind(file)[0]:
            raise DataError(
                f"{file}: is a file of the data set's split; expected only files that end with "
                f"{', '.join(_SUFFIXES)} (or .gz after it): save the split as one of them, and give its path"
            )


class RowFile:
    """A file of rows. The end of its address says what it is; a file with another end is read as JSONL.

    Attributes:
        size: of the file, bytes.
        done: how much of it was read so far, bytes.

    Args:
        path: the file on this machine.
        where: its address, for errors.
    """

    def __init__(self, path: Path, where: str) -> None:
        self.size, self.done = path.stat().st_size, 0
        self._path, self._where = path, where
        self._kind, self._zipped = _kind(where)

    def rows(self) -> NumberedRows:
        """The rows, each with its line; in JSON, Parquet and Arrow with its number, from 1. CSV cells are texts.

        Raises:
            DataError: it is not such a file.
        """
        self._refuse_other_end()
        with self._path.open("rb") as stored, self._unzipped(stored) as content:
            try:
                for number, row in self._rows(content):
                    if self._kind not in {".parquet", ".arrow"}:
                        self.done = stored.tell()
                    yield number, row
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise self._not_gzip(error) from None

    def _refuse_other_end(self) -> None:
        with self._path.open("rb") as stored:
            begin = stored.read(8)
        if self._zipped and begin and not begin.startswith(_GZIP):
            raise DataError(
                f"{self._where}: its name says gzip, but it is not packed (it begins with {begin[:2]!r}): remove .gz "
                "from its name, or pack it with gzip"
            )
        if not self._zipped and (problem := packed(begin)):
            cure = ", or add .gz to its name" if begin.startswith(_GZIP) else ""
            raise DataError(f"{self._where}: {problem}{cure}")

    def _unzipped(self, stored: IO[bytes]) -> IO[bytes]:
        if not self._zipped:
            return stored
        unzipped: IO[bytes] = gzip.GzipFile(fileobj=stored)  # type: ignore[assignment]
        if self._kind not in {".parquet", ".arrow"}:
            return unzipped
        whole = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            with names_full_disk(tempfile.gettempdir()):
                shutil.copyfileobj(unzipped, whole, 1 << 20)
        except FullDiskError:
            whole.close()
            raise
        except (OSError, EOFError, zlib.error) as error:
            whole.close()
            raise self._not_gzip(error) from None
        whole.seek(0)
        return whole

    def _rows(self, content: IO[bytes]) -> NumberedRows:
        if self._kind in {".parquet", ".arrow"}:
            return self._table_rows(content)
        if self._kind == ".csv":
            return self._csv_rows(content)
        if self._kind == ".json" and _begins_with_bracket(content):
            return self._json_rows(content)
        return parse_objects((line.removesuffix(b"\n") for line in content), self._where)

    def _csv_rows(self, content: IO[bytes]) -> NumberedRows:
        text = io.TextIOWrapper(content, "utf-8-sig", newline="")
        try:
            yield from iterate_csv(text, self._where)
        except UnicodeDecodeError:
            read_csv(decode(self._whole(content), self._where), self._where)  # raises the error with line and byte
            raise

    def _json_rows(self, content: IO[bytes]) -> NumberedRows:
        """Items are decoded one at a time; where that fails the file is read as a whole, for the error's place."""
        text, number = io.TextIOWrapper(content, "utf-8-sig"), 0
        try:
            for number, item in enumerate(array_items(text), start=1):
                yield number, item
        except ValueError:
            for row in read_json(decode(self._whole(content), self._where), self._where)[number:]:
                yield row.number, row.cells

    def _whole(self, content: IO[bytes]) -> bytes:
        content.seek(0)
        return content.read()

    def _table_rows(self, content: IO[bytes]) -> NumberedRows:
        import pyarrow  # type: ignore[import-untyped,unused-ignore]

        number = 0
        try:
            for rows, total in _parquet_batches(content) if self._kind == ".parquet" else _arrow_batches(content):
                if repeated := sorted({name for name in rows.schema.names if rows.schema.names.count(name) > 1}):
                    raise DataError(
                        f"{self._where}: has several columns {repeated[0]!r}; expected one of each name: rename them"
                    )
                for row in rows.to_pylist():
                    number += 1
                    yield number, row
                self.done = int(self.size * total)
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{self._where}: not a whole {self._kind[1:]} file: {error}") from None

    def _not_gzip(self, error: Exception) -> DataError:
        return DataError(f"{self._where}: not a whole gzip file: {error}; write it again")


def _parquet_batches(content: IO[bytes]) -> Iterator[tuple[Any, float]]:
    """Batches of rows, each with the share of the file's rows up to its end."""
    from pyarrow import parquet  # type: ignore[import-untyped,unused-ignore]

    file = parquet.ParquetFile(content, pre_buffer=False, buffer_size=1 << 20)
    done = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        done += batch.num_rows
        yield batch, done / file.metadata.num_rows


def _arrow_batches(content: IO[bytes]) -> Iterator[tuple[Any, float]]:
    from pyarrow import ipc  # type: ignore[import-untyped,unused-ignore]

    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    indexed = content.read(6) == b"ARROW1"
    content.seek(0)
    reader = ipc.open_file(content) if indexed else ipc.open_stream(content)
    batches = map(reader.get_batch, range(reader.num_record_batches)) if indexed else iter(reader)
    for batch in batches:
        for start in range(0, batch.num_rows, _BATCH):
            yield batch.slice(start, _BATCH), content.tell() / size


def _begins_with_bracket(content: IO[bytes]) -> bool:
    head = b""
    while not head.removeprefix(b"\xef\xbb\xbf").lstrip() and (block := content.read(1 << 16)):
        head += block
    content.seek(0)
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def _kind(name: str) -> tuple[str, bool]:
    """The end of a name that says what the file is (empty: another end), and whether it is gzipped."""
    path = PurePosixPath(name.lower())
    zipped = path.suffix == ".gz"
    suffix = path.with_suffix("").suffix if zipped else path.suffix
    return (suffix if suffix in _SUFFIXES else ""), zipped


def _is_beside(name: str) -> bool:
    return name in _BESIDE or name.startswith((".", "_"))
