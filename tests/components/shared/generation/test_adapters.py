"""Adapters are known by their bytes."""

from pathlib import Path

import pytest

from components.shared.errors import IntegrityError
from components.shared.generation.adapters import ADAPTER_FILES, adapter_digest


def test_both_files_and_nothing_else_count(tmp_path: Path, build):
    """A manifest beside the adapter does not change it; one byte of either file does."""
    digest = build.adapter_files(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    assert adapter_digest(tmp_path) == digest
    for name in ADAPTER_FILES:
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content + b" ")
        assert adapter_digest(tmp_path) != digest
        (tmp_path / name).write_bytes(content)
    assert adapter_digest(tmp_path) == digest


@pytest.mark.parametrize("name", ADAPTER_FILES)
def test_half_an_adapter_is_none(tmp_path: Path, build, name: str):
    """A missing file is named."""
    build.adapter_files(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(IntegrityError, match=f"holds no {name}"):
        adapter_digest(tmp_path)
