"""The default engine: `transformers.generate`, length-sorted batches, k samples from one prompt.

One load serves both sides: with an adapter, `base_only()` switches it off for a while, which gives the same
tokens as the plain base. It does not know suites, judges or what an answer means.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from components.shared.artifacts.evaluation import Message
from components.shared.errors import ModelError
from components.shared.generation.batches import length_sorted_batches
from components.shared.generation.engine import Completion, Conversation, OnDone, Sampling

if TYPE_CHECKING:
    import torch

_PROBE = (Message(role="user", content="How do I do this?"),)
"""A conversation whose next-token logits show whether an adapter is applied at all."""


class EngineFacts(NamedTuple):
    """What the engine will run on: part of the contract, known before a model is loaded."""

    text: str
    device: str
    dtype: str


def engine_facts(dtype: str) -> EngineFacts:
    """Engine, library versions, kind of device and dtype on this machine.

    Args:
        dtype: auto (bfloat16 on a GPU, float32 on a CPU), float32 or bfloat16.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = ("bfloat16" if device == "cuda" else "float32") if dtype == "auto" else dtype
    libraries = " ".join(f"{name}-{version(name)}" for name in ("transformers", "peft"))
    text = f"{libraries} torch-{version('torch').partition('+')[0]} {device}"
    return EngineFacts(text, device, chosen)


class TransformersEngine:
    """A base model with or without an adapter, ready to answer.

    Args:
        base: directory of the base model.
        adapter: directory of a LoRA adapter, or None for the base alone.
        dtype: auto (bfloat16 on a GPU, float32 on a CPU), float32 or bfloat16.

    Raises:
        ModelError: model or adapter cannot be loaded, or the tokenizer has no chat template.
    """

    def __init__(self, base: Path, adapter: Path | None = None, dtype: str = "auto") -> None:
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.facts = engine_facts(dtype)
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(base)
            model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, self.facts.dtype))
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"base model {base}: cannot be loaded: {error}") from error
        if self._tokenizer.chat_template is None:
            raise ModelError(f"base model {base}: its tokenizer has no chat template; Plimsoll tunes chat models")
        self._tokenizer.padding_side = "left"
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        if adapter is not None:
            model = _with_adapter(model, adapter)
        self._has_adapter = adapter is not None
        self._model = model.to(self.facts.device).eval()

    @property
    def description(self) -> str:
        """Engine, versions and kind of device."""
        return self.facts.text

    @contextmanager
    def base_only(self) -> Iterator[None]:
        """Answers as the base model while it lasts."""
        if not self._has_adapter:
            yield
            return
        with self._model.disable_adapter():
            yield

    def adapter_effect(self) -> float | None:
        """Largest absolute change of a probe's next-token logits that the adapter causes; None without one.

        0.0 means that the adapter is not applied, or is empty: a silent failure elsewhere (peft #515).
        """
        if not self._has_adapter:
            return None
        tuned = self._probe_logits()
        with self.base_only():
            plain = self._probe_logits()
        return float((tuned - plain).abs().max())

    def generate(
        self, conversations: Sequence[Conversation], sampling: Sampling, on_done: OnDone
    ) -> list[list[Completion]]:
        """See `Engine.generate`."""
        prompts = [self._encode(conversation) for conversation in conversations]
        self._check_room(prompts, sampling.max_new_tokens)
        batches = length_sorted_batches(
            [len(prompt) for prompt in prompts],
            sampling.samples,
            sampling.max_new_tokens,
            sampling.batch_tokens,
        )
        completions: list[list[Completion]] = [[] for _ in prompts]
        for number, batch in enumerate(batches):
            rows = self._answer([prompts[index] for index in batch], sampling, number)
            for position, index in enumerate(batch):
                start = position * sampling.samples
                completions[index] = rows[start : start + sampling.samples]
            on_done(len(rows))
        return completions

    def _encode(self, conversation: Conversation) -> list[int]:
        messages = [message.model_dump() for message in conversation]
        encoded = self._tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True
        )
        return list(encoded["input_ids"])

    def _check_room(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> None:
        room = getattr(self._model.config, "max_position_embeddings", None)
        longest = max(map(len, prompts), default=0)
        if room is not None and longest + new_tokens > room:
            raise ModelError(
                f"the longest prompt has {longest} tokens and evaluation.max_new_tokens is {new_tokens}, but the base "
                f"model's context holds {room}; lower max_new_tokens or drop that prompt"
            )

    def _answer(self, prompts: list[list[int]], sampling: Sampling, number: int) -> list[Completion]:
        import torch
        from transformers import GenerationConfig

        inputs = self._tokenizer.pad({"input_ids": prompts}, return_tensors="pt").to(self.facts.device)
        sampled = sampling.temperature > 0
        ends = self._ends()
        settings = GenerationConfig(
            max_new_tokens=sampling.max_new_tokens,
            do_sample=sampled,
            temperature=sampling.temperature if sampled else None,
            top_p=sampling.top_p if sampled else None,
            top_k=0 if sampled else None,
            num_return_sequences=sampling.samples,
            pad_token_id=self._tokenizer.pad_token_id,
            eos_token_id=ends,
        )
        seed = int(np.random.SeedSequence([sampling.seed, number]).generate_state(1)[0])
        devices = [torch.cuda.current_device()] if self.facts.device == "cuda" else []
        with torch.random.fork_rng(devices=devices), torch.inference_mode():
            torch.manual_seed(seed)
            output = self._model.generate(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                generation_config=settings,
            )
        answers = output[:, inputs["input_ids"].shape[1] :].tolist()
        return [self._completion(tokens, set(ends)) for tokens in answers]

    def _completion(self, tokens: list[int], ends: set[int]) -> Completion:
        length = next((place for place, token in enumerate(tokens) if token in ends), None)
        kept = tokens if length is None else tokens[:length]
        text = self._tokenizer.decode(kept, skip_special_tokens=True)
        return Completion(text=text.strip(), tokens=len(kept), complete=length is not None)

    def _ends(self) -> list[int]:
        """Tokens that end an answer: the tokenizer's, and those that the base's own config names."""
        named = self._model.generation_config.eos_token_id
        listed = named if isinstance(named, list) else [named]
        own = self._tokenizer.eos_token_id
        ends = sorted({int(token) for token in (*listed, own) if token is not None})
        if not ends:
            raise ModelError("the tokenizer has no end-of-sequence token; answers could not end")
        return ends

    def _probe_logits(self) -> "torch.Tensor":
        import torch

        tokens = torch.tensor([self._encode(_PROBE)], device=self.facts.device)
        with torch.inference_mode():
            logits: torch.Tensor = self._model(input_ids=tokens).logits[0, -1].float()
        return logits


def _with_adapter(model: Any, adapter: Path) -> Any:
    from peft import PeftModel
    from safetensors import SafetensorError

    try:
        return PeftModel.from_pretrained(model, str(adapter))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"adapter {adapter}: cannot be loaded: {error}") from error
