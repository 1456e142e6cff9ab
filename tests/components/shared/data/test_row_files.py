"""Training files of every format, alone and in folders."""

import gzip
import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow import ipc, parquet

from components.shared import storage
from components.shared.data.row_files import RowFile, list_files
from components.shared.errors import DataError, StorageError


def read_rows(folder: Path, name: str, content: bytes) -> list:
    (folder / name).write_bytes(content)
    return list(RowFile(folder / name, name).rows())


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
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str, content: bytes, numbers: list[int]):
    """Texts stay texts, and each row has its line or number."""
    rows = read_rows(tmp_path, name, content)
    assert [row for _, row in rows] == ROWS
    assert [number for number, _ in rows] == numbers


def test_a_parquet_file_of_a_data_set_keeps_its_turns(tmp_path: Path):
    """The nested columns that `datasets` writes are read as lists of objects."""
    datasets = pytest.importorskip("datasets")
    rows = [{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}]
    datasets.Dataset.from_list(rows).to_parquet(tmp_path / "f.parquet")
    assert [row for _, row in RowFile(tmp_path / "f.parquet", "f.parquet").rows()] == rows
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "saved")
    (file,) = list_files(str(tmp_path / "saved"))
    assert [row for _, row in RowFile(Path(file), file).rows()] == rows


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.jsonl.gz", JSONL, "f.jsonl.gz: its name says gzip, but it is not packed"),
        ("f.jsonl.gz", gzip.compress(JSONL, mtime=0)[:-9], "f.jsonl.gz: not a whole gzip file"),
        ("f.parquet", in_parquet(ROWS)[:-9], "f.parquet: not a whole parquet file"),
        ("f.arrow", JSONL, "f.arrow: not a whole arrow file"),
        ("f.csv", b"a,b\n1\n", "f.csv:2: has 1 cells, expected 2"),
        ("f.csv", b"a,b\n\xff,1\n", "f.csv:2: byte 4 .* is not UTF-8"),
        ("f.json", b"[1]", "f.json: item 1"),
        ("f.json", b"[{]", "f.json: not valid JSON"),
    ],
)
def test_a_damaged_file_is_a_data_error(tmp_path: Path, name: str, content: bytes, message: str):
    """No error of a library comes through."""
    with pytest.raises(DataError, match=message):
        read_rows(tmp_path, name, content)


def test_tables_are_read_when_gzipped_and_in_many_batches(tmp_path: Path):
    """Parquet and Arrow need the whole file at hand; their rows are numbered through all batches."""
    rows = [{"prompt": str(number), "completion": "x"} for number in range(2500)]
    table = pyarrow.Table.from_pylist(rows)
    parquet.write_table(table, tmp_path / "f.parquet", row_group_size=700)
    with ipc.new_file(tmp_path / "f.arrow", table.schema) as writer:
        writer.write_table(table)
    for name in ("f.parquet", "f.arrow"):
        found = read_rows(tmp_path, f"{name}.gz", gzip.compress((tmp_path / name).read_bytes(), mtime=0))
        assert found == list(enumerate(rows, start=1)) == list(RowFile(tmp_path / name, name).rows())


def test_an_error_after_many_rows_is_found_where_it_is(tmp_path: Path):
    """The rows before it are read; then the place is the one in the whole file."""
    row = json.dumps({"prompt": "a" * 1000, "completion": "b"})
    for name, content, message in (
        (
            "f.json",
            f"[{f'{row},' * 3000}" + '{"prompt": }]',
            r"f\.json: not valid JSON: Expecting value: .*\(char 3102012\)",
        ),
        ("f.json", f"[{f'{row},' * 3000}1]", r"f\.json: item 3001: holds a number, expected one JSON object"),
        ("f.json", f"[{row}] x", r"f\.json: not valid JSON: Extra data: line 1 column 1037"),
        ("f.csv", "a,b\n" + "c,d\n" * 90_000 + "\udcff,e\n", r"f\.csv:90002: byte 360004 \(0xff\) is not UTF-8"),
        ("f.csv", "a,b\n" + "c,d\n" * 90_000 + '"e', r"f\.csv:90002: not valid CSV: .*is it cut off\?"),
        ("f.json", f'[{row}, {{"a": NaN}}]', r"f\.json: not valid JSON: NaN is no JSON value"),
    ):
        with pytest.raises(DataError, match=message):
            read_rows(tmp_path, name, content.encode(errors="surrogateescape"))


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
