"""Training files of every format, alone and in folders."""

import gzip
import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow import ipc, parquet

from components.shared import storage
from components.shared.data.row_files import list_files, read_rows
from components.shared.errors import DataError, StorageError

ROWS = [
    {"prompt": 'a, "b"\nc', "completion": "4"},
    {"prompt": "d", "completion": "5"},
]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
CSV = b'\xef\xbb\xbfprompt,completion\r\n"a, ""b""\nc",4\r\nd,5\r\n'


def arrow(opener) -> bytes:
    sink = pyarrow.BufferOutputStream()
    table = pyarrow.Table.from_pylist(ROWS)
    with opener(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def in_parquet(rows: list) -> bytes:
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "content", "numbers"),
    [
        ("f.jsonl", JSONL, [1, 2]),
        ("f", JSONL, [1, 2]),
        ("f.json", JSONL, [1, 2]),
        ("f.json", json.dumps(ROWS, indent=2).encode(), [1, 2]),
        ("f.jsonl.gz", gzip.compress(JSONL, mtime=0), [1, 2]),
        ("F.JSON.GZ", gzip.compress(json.dumps(ROWS).encode(), mtime=0), [1, 2]),
        ("f.csv", CSV, [2, 4]),
        ("f.parquet", in_parquet(ROWS), [1, 2]),
        ("f.arrow", arrow(ipc.new_file), [1, 2]),
        ("f.arrow", arrow(ipc.new_stream), [1, 2]),
    ],
)
def test_every_format_gives_the_same_rows(name: str, content: bytes, numbers: list[int]):
    """Texts stay texts, and each row has its line or number."""
    rows = list(read_rows(content, name))
    assert [row for _, row in rows] == ROWS
    assert [number for number, _ in rows] == numbers


def test_a_parquet_file_of_a_data_set_keeps_its_turns(tmp_path: Path):
    """The nested columns that `datasets` writes are read as lists of objects."""
    datasets = pytest.importorskip("datasets")
    rows = [{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}]
    datasets.Dataset.from_list(rows).to_parquet(tmp_path / "f.parquet")
    assert [row for _, row in read_rows((tmp_path / "f.parquet").read_bytes(), "f.parquet")] == rows
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "saved")
    (file,) = list_files(str(tmp_path / "saved"))
    assert [row for _, row in read_rows(Path(file).read_bytes(), file)] == rows


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.jsonl.gz", JSONL, "f.jsonl.gz: not a whole gzip file"),
        ("f.jsonl.gz", gzip.compress(JSONL, mtime=0)[:-9], "f.jsonl.gz: not a whole gzip file"),
        ("f.parquet", in_parquet(ROWS)[:-9], "f.parquet: not a whole parquet file"),
        ("f.arrow", JSONL, "f.arrow: not a whole arrow file"),
        ("f.csv", b"a,b\n1\n", "f.csv:2: has 1 cells, expected 2"),
        ("f.csv", b"a,b\n\xff,1\n", "f.csv:2: byte 4 .* is not UTF-8"),
        ("f.json", b"[1]", "f.json: item 1"),
        ("f.json", b"[{]", "f.json: not valid JSON"),
    ],
)
def test_a_damaged_file_is_a_data_error(name: str, content: bytes, message: str):
    """No error of a library comes through."""
    with pytest.raises(DataError, match=message):
        list(read_rows(content, name))


def test_a_folder_is_its_files_in_order(tmp_path: Path):
    """Descriptions beside the rows are left out; anything else in the folder is an error."""
    for name in ("b.jsonl", "a.csv", "README.md", ".hidden", "_SUCCESS"):
        (tmp_path / name).write_bytes(JSONL)
    assert list_files(str(tmp_path)) == [str(tmp_path / "a.csv"), str(tmp_path / "b.jsonl")]
    (tmp_path / "c.xlsx").write_bytes(b"")
    with pytest.raises(DataError, match=r"c\.xlsx: lies in a folder of rows; expected only files that end with"):
        list_files(str(tmp_path))


def test_an_empty_folder_is_refused(tmp_path: Path):
    """A folder without rows is no training data."""
    with pytest.raises(DataError, match="the folder holds no files of rows"):
        list_files(str(tmp_path))


def test_a_folder_in_s3_is_read_as_a_local_one(bucket: str, tmp_path: Path):
    """With or without a slash at the end; a missing object is named by the store."""
    (tmp_path / "f").write_bytes(JSONL)
    folder = f"{bucket}/{tmp_path.name}"
    for name in ("b.jsonl", "a.json"):
        storage.put(tmp_path / "f", f"{folder}/rows/{name}")
    expected = [f"{folder}/rows/a.json", f"{folder}/rows/b.jsonl"]
    assert list_files(f"{folder}/rows") == list_files(f"{folder}/rows/") == expected
    assert list_files(expected[0]) == expected[:1]
    with pytest.raises(StorageError, match="there is no such object"):
        storage.read_bytes(list_files(f"{folder}/none.jsonl")[0])
    with pytest.raises(DataError, match=r"rows/a\.json: lies in a folder of rows"):
        list_files(folder)
