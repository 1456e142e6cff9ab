"""Base models are loaded whole, or not at all."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from components.shared.errors import ModelError
from components.shared.generation.model_loading import load_tokenizer, load_weights
from tests.support.families import FAMILIES, make_base


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("lm_head.weight", None, "lacks 1 weights, such as lm_head.weight"),
        ("model.extra.weight", torch.zeros(2), "holds 1 weights that its architecture lacks, such as model.extra"),
        ("model.norm.weight", torch.full((16,), float("nan")), "1 weights hold NaN or infinity, such as model.norm"),
        ("model.norm.weight", torch.zeros(8), "cannot be loaded|lacks 1 weights"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    tiny_base: Path, tmp_path: Path, name: str, value: torch.Tensor | None, message: str
):
    """Missing, unknown, damaged and wrongly shaped tensors are named; transformers would fill them up."""
    copy = Path(shutil.copytree(tiny_base, tmp_path / "copy"))
    weights = load_file(copy / "model.safetensors")
    weights.pop(name, None)
    save_file(weights if value is None else {**weights, name: value}, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=message):
        load_weights(copy, "float32", load_tokenizer(copy))


@pytest.mark.parametrize("refused", [True, False])
def test_tokens_need_an_embedding_if_chats_use_them(tiny_base: Path, tmp_path: Path, refused: bool):
    """A token of the template without weights is refused; an added one that no chat uses is not."""
    copy = Path(shutil.copytree(tiny_base, tmp_path / "copy"))
    tokenizer: Any = load_tokenizer(copy)
    tokenizer.add_tokens(["<image>", "<new>"], special_tokens=True)
    if refused:
        tokenizer.chat_template = f"<new>{tokenizer.chat_template}"
        with pytest.raises(ModelError, match=r"its embedding .*: no weights for <new>;"):
            load_weights(copy, "float32", tokenizer)
    else:
        assert load_weights(copy, "float32", tokenizer).config.get_text_config().vocab_size < len(tokenizer)


def test_the_language_part_of_a_wrapper_is_found(tmp_path: Path):
    """Gemma-3 keeps vocabulary and context length one level down."""
    (family,) = [family for family in FAMILIES if family.name == "gemma-3"]
    base = make_base(family, tmp_path / "base")
    tokenizer = load_tokenizer(base)
    config = load_weights(base, "float32", tokenizer).config.get_text_config()
    assert (config.vocab_size, config.max_position_embeddings) == (len(tokenizer), 4096)
