"""The one way to load a base model and its tokenizer; it runs no custom code and reads no pickle."""

import json
from pathlib import Path
from typing import Any

from components.shared.errors import ModelError


def load_tokenizer(directory: Path) -> Any:
    """The tokenizer of a base model, with a padding token.

    Raises:
        ModelError: it cannot be loaded, or has no chat template.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(directory, trust_remote_code=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"base model {directory}: its tokenizer cannot be loaded: {error}") from error
    if tokenizer.chat_template is None:
        raise ModelError(f"base model {directory}: its tokenizer has no chat template; Plimsoll tunes chat models")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_weights(directory: Path, dtype: str) -> Any:
    """A base model on the CPU.

    Args:
        directory: of the base model.
        dtype: float32 or bfloat16.

    Raises:
        ModelError: it cannot be loaded.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    try:
        return AutoModelForCausalLM.from_pretrained(
            directory, dtype=getattr(torch, dtype), trust_remote_code=False, use_safetensors=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"base model {directory}: cannot be loaded: {error}") from error


def end_tokens(directory: Path, tokenizer: Any) -> tuple[int, ...]:
    """The tokens that end an answer, in rising order: the tokenizer's, and those of the base's generation config.

    Args:
        directory: of the base model.
        tokenizer: of the base model.

    Raises:
        ModelError: there are none, or a file cannot be read.
    """
    named = _named_ends(directory)
    listed = named if isinstance(named, list) else [named]
    ends = sorted({int(token) for token in (*listed, tokenizer.eos_token_id) if token is not None})
    if not ends:
        raise ModelError(f"base model {directory}: names no end-of-sequence token; answers could not end")
    return tuple(ends)


def _named_ends(directory: Path) -> Any:
    """`eos_token_id` of generation_config.json, or if there is no such file of config.json, as in transformers."""
    for name in ("generation_config.json", "config.json"):
        path = directory / name
        if path.is_file():
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise ModelError(f"{path}: is not JSON: {error}") from None
            return content.get("eos_token_id", content.get("text_config", {}).get("eos_token_id"))
    return None
