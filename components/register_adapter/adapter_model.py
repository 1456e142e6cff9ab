"""The model that MLflow serves: a base model with the registered LoRA adapter applied.

MLflow logs this file with the adapter and runs it where Plimsoll is not installed (models from code), so it imports
nothing of Plimsoll. The base model is found at load: `PLIMSOLL_BASE_MODEL` (a directory or a hub id) if set, else the
path or hub id that the adapter was trained on. Its files must have the recorded digest. Chats are rendered as they were
evaluated: with the same system prompt, template arguments and date; only the final text is returned, without a thought.
"""

import hashlib
import json
import os
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import mlflow
from mlflow.pyfunc.model import PythonModel, PythonModelContext

_FILES = (
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*.model",
    "*.tiktoken",
    "tekken.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template*",
)
_NOT_THE_MODEL = ("*/*", "consolidated*")
_BLOCK = 1 << 20
_BLOCKS = (("<think>", "</think>"), ("[THINK]", "[/THINK]"))
_CHANNEL = re.compile(
    r"(?:^|<\|channel\|>)(\w++)[^<]*+<\|message\|>(.*?)(?=<\|end\|>|<\|return\|>|<\|call\|>|<\|start\|>|\Z)", re.S
)


class AdapterModel(PythonModel):
    """Answers prompts: a text or a column of texts in, a list of texts out.

    Parameters of `predict`: `max_new_tokens` (default 256) and `temperature` (default 0: greedy).
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Loads base, tokenizer and adapter.

        Raises:
            RuntimeError: the base is not the one that the adapter was trained on.
        """
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        config = context.model_config
        directory = _locate(config)
        if (digest := _digest(directory)) != config["base_digest"]:
            raise RuntimeError(
                f"base model {directory} has digest {digest}, the adapter was trained on {config['base_digest']}; set "
                "PLIMSOLL_BASE_MODEL to the right one"
            )
        self._settings = config
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.bfloat16 if self._device == "cuda" else torch.float32
        self._tokenizer: Any = AutoTokenizer.from_pretrained(directory, trust_remote_code=False)
        self._takes_system = self._shows("You are a probe.")
        base: Any = AutoModelForCausalLM.from_pretrained(
            directory, dtype=dtype, trust_remote_code=False, use_safetensors=True
        )
        self._model: Any = PeftModel.from_pretrained(base, context.artifacts["adapter"])
        self._model.to(self._device).eval()

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """One answer per prompt, in order.

        Without annotations, because MLflow takes them for the input's schema; the signature is logged instead.
        """
        settings = params or {}
        return [
            self._answer(prompt, settings.get("max_new_tokens", 256), settings.get("temperature", 0.0))
            for prompt in _prompts(model_input)
        ]

    def _answer(self, prompt: str, max_new_tokens: int, temperature: float) -> str:
        import torch
        from transformers import GenerationConfig

        text = self._rendered(prompt, self._settings.get("system_prompt"))
        tokens = self._tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"].to(self._device)
        room = getattr(self._model.config.get_text_config(), "max_position_embeddings", None)
        if room is not None:
            max_new_tokens = max(1, min(max_new_tokens, room - tokens.shape[1]))
        eos = self._model.generation_config.eos_token_id
        ends = {*(eos if isinstance(eos, list) else [eos]), self._tokenizer.eos_token_id} - {None}
        config = GenerationConfig(
            max_new_tokens=max_new_tokens,
            do_sample=temperature > 0,
            temperature=temperature if temperature > 0 else None,
            pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
            eos_token_id=sorted(ends),
        )
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=tokens, attention_mask=torch.ones_like(tokens), generation_config=config
            )
        answer = output[0, tokens.shape[1] :].tolist()
        kept = answer[: next((place for place, token in enumerate(answer) if token in ends), None)]
        return self._final_text(kept, text)

    def _final_text(self, tokens: list[int], prompt: str) -> str:
        written = str(self._tokenizer.decode(tokens, skip_special_tokens=False))
        opened = prompt.rstrip().endswith(tuple(start for start, _ in _BLOCKS))
        channels = "<|channel|>" in written or "<|channel|>" in self._tokenizer.get_chat_template()
        if not (opened or channels or any(mark in written for block in _BLOCKS for mark in block)):
            return str(self._tokenizer.decode(tokens, skip_special_tokens=True)).strip()
        final = _final_message(written) if channels else _outside_thoughts(written, opened)
        for mark in self._tokenizer.all_special_tokens:
            final = final.replace(mark, "")
        return final.strip()

    def _rendered(self, prompt: str, system: str | None) -> str:
        turns = [{"role": "user", "content": prompt}]
        if system is not None and self._takes_system:
            turns = [{"role": "system", "content": system}, *turns]
        elif system is not None:
            turns = [{"role": "user", "content": f"{system}\n\n{prompt}"}]
        return str(self._render(turns))

    def _render(self, turns: list[dict[str, str]]) -> str:
        template = f"{self._settings['template_prelude']}{self._tokenizer.get_chat_template()}"
        return str(
            self._tokenizer.apply_chat_template(
                turns,
                add_generation_prompt=True,
                tokenize=False,
                chat_template=template,
                **self._settings["template_arguments"],
            )
        )

    def _shows(self, system: str) -> bool:
        """Whether the template shows system turns; otherwise they were evaluated before the first user turn."""
        import jinja2

        try:
            return system in self._render([{"role": "system", "content": system}, {"role": "user", "content": "Hello"}])
        except jinja2.TemplateError:
            return False


def _final_message(written: str) -> str:
    """The final channel of the harmony format, as in Plimsoll's `split_thought`; a test compares the two."""
    return "".join(said for channel, said in _CHANNEL.findall(written) if channel == "final").strip()


def _outside_thoughts(written: str, opened: bool) -> str:
    """What stands outside thoughts, as in Plimsoll's `split_thought`; a test compares the two."""
    said: list[str] = []
    thinking = opened
    marks = "|".join(re.escape(mark) for block in _BLOCKS for mark in block)
    for part in re.split(f"({marks})", written):
        if part in (start for start, _ in _BLOCKS):
            thinking = True
        elif part in (end for _, end in _BLOCKS):
            said = said if thinking else []
            thinking = False
        elif not thinking:
            said.append(part)
    return "".join(said).strip()


def _prompts(model_input: Any) -> list[str]:
    if hasattr(model_input, "columns"):
        model_input = model_input.iloc[:, 0].tolist()
    return [model_input] if isinstance(model_input, str) else [str(prompt) for prompt in model_input]


def _locate(config: dict[str, Any]) -> Path:
    override = os.environ.get("PLIMSOLL_BASE_MODEL")
    place = override or config["base_path"]
    if place and Path(place).is_dir():
        return Path(place)
    hub_id = override or config["base_hub_id"]
    if not hub_id or (place and place.startswith("/")):
        raise RuntimeError(
            f"base model directory {place!r} does not exist; set PLIMSOLL_BASE_MODEL to a directory or hub id of the "
            f"model with digest {config['base_digest']}"
        )
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            hub_id,
            revision=None if override else config["base_revision"],
            allow_patterns=list(_FILES),
            ignore_patterns=list(_NOT_THE_MODEL),
        )
    )


def _digest(directory: Path) -> str:
    """The same digest as `components.shared.generation.base_models.base_digest`; a test compares the two."""
    hashes = {}
    for path in directory.iterdir():
        if path.is_file() and any(fnmatch(path.name, pattern) for pattern in (*_FILES, "adapter_*")):
            running = hashlib.sha256()
            with path.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    running.update(block)
            hashes[path.name] = f"sha256:{running.hexdigest()}"
    text = json.dumps(hashes, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


mlflow.models.set_model(AdapterModel())
