"""A packed file where plain text is expected is named, and so is plain text where a packed file is expected."""

import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from components.shared.config.reading import read_yaml
from components.shared.data.row_files import RowFile
from components.shared.data.table_files import decode
from components.shared.errors import ConfigError, DataError
from components.shared.jsonl import parse_objects
from components.shared.texts.packed import packed

ROW = b'{"messages": []}\n'


def _zipped(content):
    with io.BytesIO() as stream:
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("rows.jsonl", content)
        return stream.getvalue()


@pytest.mark.parametrize(
    ("pack", "cure"),
    [
        (gzip.compress, r"is packed \(gzip\), expected plain text: unpack it with gunzip"),
        (bz2.compress, r"is packed \(bzip2\), .* bunzip2"),
        (lzma.compress, r"is packed \(xz\), .* unxz"),
        (_zipped, r"is packed \(zip\), .* unzip"),
        (lambda content: b"\x28\xb5\x2f\xfd" + content, r"is packed \(zstd\), .* unzstd"),
    ],
    ids=["gzip", "bzip2", "xz", "zip", "zstd"],
)
def test_a_packed_file_is_named_at_every_door(tmp_path, pack, cure):
    """Configs, JSONL, tables and training rows: format and command, not a byte that is not UTF-8."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(pack(ROW))
    with pytest.raises(ConfigError, match=rf"rows\.jsonl: {cure}"):
        read_yaml(str(path))
    with pytest.raises(DataError, match=rf"rows\.jsonl: {cure}"):
        list(parse_objects(path.open("rb"), "rows.jsonl"))
    with pytest.raises(DataError, match=rf"rows\.csv: {cure}"):
        decode(path.read_bytes(), "rows.csv")
    with pytest.raises(DataError, match=rf"rows\.jsonl: {cure}"):
        list(RowFile(path, "rows.jsonl").rows())


def test_training_rows_may_be_gzipped_if_their_name_says_so(tmp_path):
    """The error says that a name is enough; and plain text that is named .gz is told so."""
    path = tmp_path / "rows"
    path.write_bytes(gzip.compress(ROW))
    assert len(list(RowFile(path, "rows.jsonl.gz").rows())) == 1
    with pytest.raises(DataError, match=r"gunzip, or add \.gz to its name$"):
        list(RowFile(path, "rows.jsonl").rows())
    path.write_bytes(ROW)
    with pytest.raises(
        DataError, match=r"its name says gzip, but it is not packed \(it begins with b'{\"'\): remove \.gz "
    ):
        list(RowFile(path, "rows.jsonl.gz").rows())


@pytest.mark.parametrize("content", [b"", b"PK", b"plain", b"B", "\u00e9t\u00e9".encode()])
def test_plain_text_is_not_packed(content):
    """Nothing is wrong with it."""
    assert packed(content) is None
