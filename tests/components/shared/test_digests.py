"""Content hashes and canonical JSON."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.digests import (
    canonical_json,
    digest_bytes,
    digest_file,
    digest_files,
    digest_json,
    digest_tree,
    short,
)


def test_a_digest_is_sha256_with_its_name():
    """A digest is the SHA-256 of the bytes, prefixed with the algorithm."""
    assert digest_bytes(b"abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_key_order_does_not_count():
    """Equal values have equal digests, however their keys are ordered."""
    assert digest_json({"a": 1, "b": [2, 3]}) == digest_json({"b": [2, 3], "a": 1})


def test_canonical_json_is_one_text():
    """Keys are sorted, there are no spaces, and letters stay letters."""
    assert canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_none_have_no_digest(value: float):
    """NaN and infinities are refused rather than written as invalid JSON."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest_json({"loss": value})


@given(st.binary(max_size=200))
def test_a_file_and_its_bytes_have_one_digest(tmp_path: Path, content: bytes):
    """Reading a file in blocks gives the digest of its bytes."""
    path = tmp_path / "file"
    path.write_bytes(content)
    assert digest_file(path) == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_a_file_larger_than_one_block_is_read_to_its_end(tmp_path: Path):
    """The last byte of a file of several blocks counts."""
    path = tmp_path / "file"
    path.write_bytes(bytes((1 << 20) + 1))
    first = digest_file(path)
    path.write_bytes(bytes(1 << 20) + b"x")
    assert digest_file(path) != first


def test_several_files_are_known_by_name_and_content(tmp_path: Path):
    """Swapping the contents of two files changes their common digest; the order of the names does not."""
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    before = digest_files(tmp_path, ["a", "b"])
    assert digest_files(tmp_path, ["b", "a"]) == before
    (tmp_path / "a").write_text("2")
    (tmp_path / "b").write_text("1")
    assert digest_files(tmp_path, ["a", "b"]) != before


def test_a_tree_is_listed_by_relative_path(tmp_path: Path):
    """Files below directories are keyed by their POSIX path, directories themselves are not."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_text("x")
    (tmp_path / "a").write_text("x")
    assert digest_tree(tmp_path) == {"a": digest_bytes(b"x"), "sub/b": digest_bytes(b"x")}


def test_the_short_form_is_twelve_digits():
    """The short form is what people see: twelve hex digits."""
    assert short("sha256:0123456789abcdef") == "0123456789ab"
