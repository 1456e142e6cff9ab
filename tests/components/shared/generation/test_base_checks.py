"""A model's files are checked before transformers sees them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from components.shared.errors import ConfigError
from components.shared.generation.base_checks import check_base_files
from components.shared.generation.model_loading import read_tokenizer


@pytest.fixture
def copy(tiny_base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_base, tmp_path / "copy"))


def _indexed(directory: Path, name: str) -> None:
    (directory / "model.safetensors").rename(directory / "part.safetensors")
    index = {"weight_map": {"lm_head.weight": name}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))


def _pickled(directory: Path) -> None:
    (directory / "model.safetensors").rename(directory / "pytorch_model.bin")


def _cut(directory: Path) -> None:
    weights = directory / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])


def _own_code(directory: Path, model_type: str) -> None:
    path = directory / "config.json"
    changes = {"model_type": model_type, "auto_map": {"AutoModelForCausalLM": "code.Model"}}
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "adapter_config.json").write_text("{}"), "holds adapter_config.json; .* load this adapter"),
        (lambda d: (d / "adapter_model.bin").write_text(""), "holds adapter_model.bin"),
        (_pickled, "holds no model.safetensors .*but pytorch_model.bin, which may run code"),
        (lambda d: _indexed(d, "../part.safetensors"), "names '../part.safetensors'; .*without a path"),
        (lambda d: _indexed(d, "other.safetensors"), "lacks other.safetensors, which .* names"),
        (lambda d: (d / "model.safetensors").write_text("version https://git-lfs"), "is no safetensors file"),
        (_cut, r"has [\d,]+ bytes, but its header says [\d,]+; download it again"),
    ],
)
def test_what_transformers_would_accept_is_refused(copy: Path, damage: Callable[[Path], object], message: str):
    """Each is one error that says what to do."""
    damage(copy)
    with pytest.raises(ConfigError, match=message):
        check_base_files(copy)


def test_whole_models_pass(copy: Path):
    """One file, or shards with an index; `auto_map` of an architecture that transformers has is not used (Phi-3)."""
    _own_code(copy, "llama")
    assert check_base_files(copy) is None
    _indexed(copy, "part.safetensors")
    assert check_base_files(copy) is None


def test_custom_code_is_refused(copy: Path):
    """A model whose architecture only its own code has is never loaded, and transformers does not ask on stdin."""
    _own_code(copy, "newest")
    with pytest.raises(ConfigError, match=r"asks to run the model's own code .*no architecture 'newest'"):
        read_tokenizer(copy, "base model")
