"""Which image a step runs in."""

import json

import pytest

from components.images import image_reference


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("CPU_IMAGE", "GPU_IMAGE", "IMAGE_REGISTRY", "IMAGE_TAG"):
        monkeypatch.delenv(f"PLIMSOLL_{name}", raising=False)


def test_a_variable_comes_before_the_file_and_that_before_the_tag(tmp_path, monkeypatch):
    """Each kind can be named alone; the file's digests come next; else registry and tag make the reference."""
    references = tmp_path / "references.json"
    assert image_reference("cpu", references) == "localhost/plimsoll-python-cpu:0.2.0"
    monkeypatch.setenv("PLIMSOLL_IMAGE_REGISTRY", "registry.example.org/team")
    monkeypatch.setenv("PLIMSOLL_IMAGE_TAG", "2")
    assert image_reference("gpu", references) == "registry.example.org/team/plimsoll-python-gpu:2"
    references.write_text(json.dumps({"cpu": "r/cpu@sha256:1", "gpu": "r/gpu@sha256:2"}))
    assert image_reference("gpu", references) == "r/gpu@sha256:2"
    monkeypatch.setenv("PLIMSOLL_GPU_IMAGE", "mine:3")
    assert [image_reference(kind, references) for kind in ("cpu", "gpu")] == ["r/cpu@sha256:1", "mine:3"]


@pytest.mark.parametrize("content", ["{", "[]", '{"gpu": "x"}'])
def test_a_damaged_file_is_named(tmp_path, content):
    """A file without the image is an error, never another image."""
    references = tmp_path / "references.json"
    references.write_text(content)
    with pytest.raises(ValueError, match=r"references.json: names no image 'cpu'"):
        image_reference("cpu", references)
