"""The one way to load a base model and its tokenizer; it runs no custom code and reads no pickle."""

import json
from pathlib import Path
from typing import Any

from components.shared.errors import LIBRARY_ERRORS, ConfigError, ModelError
from components.shared.generation.base_checks import check_base_files, json_object

_BUFFERS = ("position_ids", "inv_freq", "masked_bias")
"""Endings of tensors that old checkpoints hold and the model computes itself."""


def load_tokenizer(directory: Path) -> Any:
    """The tokenizer of a base model, with a padding token.

    Raises:
        ConfigError: the model needs code of its own.
        ModelError: it cannot be loaded, or has no chat template.
    """
    tokenizer = read_tokenizer(directory, "base model")
    if tokenizer.chat_template is None:
        raise ModelError(f"base model {directory}: its tokenizer has no chat template; Plimsoll tunes chat models")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def read_tokenizer(directory: Path, subject: str) -> Any:
    """A model's tokenizer as it is.

    Args:
        directory: of the model.
        subject: what the model is, for messages.

    Raises:
        ConfigError: the model needs code of its own.
        ModelError: it cannot be loaded.
    """
    from transformers import AutoTokenizer

    _refuse_custom_code(directory, f"{subject} {directory}")
    try:
        tokenizer = AutoTokenizer.from_pretrained(directory, trust_remote_code=False)
        tokenizer("a")  # reads what loading does not, such as model_max_length
        return tokenizer
    except LIBRARY_ERRORS as error:
        raise ModelError(
            f"{subject} {directory}: its tokenizer cannot be loaded: {type(error).__name__}: {error}; expected "
            "tokenizer.json and tokenizer_config.json as the model's makers publish them"
        ) from error


def load_weights(directory: Path, dtype: str, tokenizer: Any) -> Any:
    """A base model on the CPU.

    Args:
        directory: of the base model.
        dtype: float32 or bfloat16.
        tokenizer: the base model's.

    Raises:
        ConfigError: its files are not those of one whole model, or it needs code of its own.
        ModelError: it cannot be loaded, some weight is missing, unknown or not finite, or the tokenizer has tokens
            that the model lacks.
    """
    from transformers import AutoModelForCausalLM

    model = load_model(AutoModelForCausalLM, directory, dtype, "base model", "a causal language model")
    _check_vocabulary(tokenizer, model, directory)
    return model


def load_model(kind: Any, directory: Path, dtype: str, subject: str, role: str, exact: bool = True) -> Any:
    """A model on the CPU, with every weight from its files.

    Args:
        kind: a class of transformers such as AutoModelForCausalLM.
        directory: of the model.
        dtype: float32 or bfloat16.
        subject: what the model is, for messages.
        role: what its files should be, for messages.
        exact: whether weights that the architecture does not use are refused.

    Raises:
        ConfigError: its files are not those of one whole model, or it needs code of its own.
        ModelError: it cannot be loaded, or some weight is missing, unknown or not finite.
    """
    import torch
    from safetensors import SafetensorError

    check_base_files(directory, subject)
    _refuse_custom_code(directory, f"{subject} {directory}")
    try:
        model, loading = kind.from_pretrained(
            directory,
            dtype=getattr(torch, dtype),
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise ModelError(f"{subject} {directory}: cannot be loaded: {error}") from error
    where = f"{subject} {directory}"
    if missing := sorted(map(str, [*loading["missing_keys"], *loading["mismatched_keys"]])):
        raise ModelError(
            f"{where}: lacks {len(missing)} weights, such as {', '.join(missing[:4])}; expected the files of {role}"
        )
    unknown = sorted(name for name in loading["unexpected_keys"] if not name.endswith(_BUFFERS))
    if exact and unknown:
        raise ModelError(
            f"{where}: holds {len(unknown)} weights that its architecture lacks, such as {', '.join(unknown[:4])}; "
            "expected config.json and weights of the same model"
        )
    if broken := [name for name, weight in model.named_parameters() if not _finite(weight)]:
        raise ModelError(
            f"{where}: {len(broken)} weights hold NaN or infinity, such as {', '.join(broken[:4])}; the files are "
            "damaged, or were saved in too small a dtype"
        )
    return model


def _refuse_custom_code(directory: Path, where: str) -> None:
    """Refuses a model whose architecture is code beside it; `auto_map` of one that transformers knows is not used."""
    config = json_object(directory / "config.json")
    for name, content in (
        ("config.json", config),
        ("tokenizer_config.json", json_object(directory / "tokenizer_config.json")),
    ):
        if "auto_map" in content:
            from transformers import CONFIG_MAPPING

            if config.get("model_type") not in CONFIG_MAPPING:
                raise ConfigError(
                    f"{where}: {name} asks to run the model's own code (auto_map), which Plimsoll never does, and "
                    f"transformers has no architecture {config.get('model_type')!r}; use a model that it has"
                )


def _finite(weight: Any) -> bool:
    """Whether all numbers are finite; by their sum, which needs no memory, as NaN and infinity go into it."""
    import torch

    if not weight.is_floating_point() or weight.dtype.itemsize < 2:  # quantized: has no such numbers
        return True
    return bool(weight.detach().sum(dtype=torch.float32).isfinite())


def _check_vocabulary(tokenizer: Any, model: Any, directory: Path) -> None:
    """Refuses tokens without an embedding, except added ones that no chat uses (Gemma-3 1B has one for images)."""
    rows = model.get_input_embeddings().weight.shape[0]
    beyond = {token for token, number in tokenizer.get_vocab().items() if number >= rows}
    added = tokenizer.get_added_vocab()
    marks = {tokenizer.eos_token, tokenizer.pad_token, tokenizer.bos_token}
    template = str(tokenizer.chat_template)
    if used := sorted(token for token in beyond if token not in added or token in marks or token in template):
        raise ModelError(
            f"base model {directory}: its tokenizer has {len(tokenizer):,} tokens, its embedding {rows:,}: no weights "
            f"for {', '.join(used[:4])}; expected tokenizer and weights of the same model"
        )


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
    if odd := [token for token in listed if token is not None and type(token) is not int]:
        raise ModelError(
            f"base model {directory}: eos_token_id is {odd[0]!r} in its generation_config.json or config.json; "
            "expected a number, or a list of numbers"
        )
    ends = sorted({token for token in (*listed, tokenizer.eos_token_id) if token is not None})
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
            if not isinstance(content, dict):
                raise ModelError(f"{path}: holds {type(content).__name__}; expected a JSON object")
            inner = content.get("text_config")
            return content.get("eos_token_id", inner.get("eos_token_id") if isinstance(inner, dict) else None)
    return None
