"""The default engine: one load of a base model, with or without an adapter, that answers and scores.

With an adapter, `base_only()` switches it off, which gives the same tokens as the base model without an adapter.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from components.shared.config.evaluation import EvaluationConfig
from components.shared.errors import ModelError
from components.shared.generation.chat_template import TemplateSettings
from components.shared.generation.engine import Completion, Continuation, OnDone, Request, Sampling
from components.shared.generation.loaded_model import LoadedModel

_PLAIN_FAMILIES = frozenset({"llama", "gpt2", "gpt_neox", "olmo", "olmo2"})
"""Families that attend to the whole context in every layer; for others the config is loaded, which takes seconds."""

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

MODES = ("auto", "refill", "generate", "continuous")
"""How completions are drawn; see `engine_facts`."""


class EngineFacts(NamedTuple):
    """The engine's settings on this machine: part of the contract, known before a model is loaded."""

    text: str
    device: str
    dtype: str
    mode: str


def engine_facts(dtype: str, mode: str, base: Path) -> EngineFacts:
    """Engine, library versions, kind of device and dtype on this machine.

    Args:
        dtype: auto (bfloat16 on a GPU, float32 on a CPU), float32 or bfloat16.
        mode: refill (our decode loop), generate or continuous (of transformers), or auto: refill on a CPU if the model
            allows it, else generate.
        base: directory of the base model.

    Raises:
        ModelError: mode is refill and the loop cannot run the model.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = ("bfloat16" if device == "cuda" else "float32") if dtype == "auto" else dtype
    resolved = _resolve(mode, device, base)
    libraries = " ".join(f"{name}-{version(name)}" for name in ("transformers", "peft"))
    text = f"{resolved} {libraries} torch-{version('torch').partition('+')[0]} {device}"
    return EngineFacts(text, device, chosen, resolved)


class TransformersEngine:
    """A base model with or without an adapter, ready to answer.

    Args:
        base: directory of the base model.
        adapter: directory of a LoRA adapter, or None for the base alone.
        dtype: auto (bfloat16 on a GPU, float32 on a CPU), float32 or bfloat16.
        mode: see `engine_facts`.
        warn: called when memory runs out and a batch is halved.
        device: such as cuda:1, instead of the machine's first device.
        settings: how chats are rendered.

    Raises:
        ModelError: model or adapter cannot be loaded, or the tokenizer has no chat template.
    """

    def __init__(
        self,
        base: Path,
        adapter: Path | None = None,
        dtype: str = "auto",
        mode: str = "auto",
        warn: Callable[[str], None] = lambda _: None,
        device: str | None = None,
        settings: TemplateSettings = TemplateSettings(),  # noqa: B008 - a NamedTuple
    ) -> None:
        self.facts = engine_facts(dtype, mode, base)
        self._warn = warn
        self._loaded = LoadedModel(base, adapter, device or self.facts.device, self.facts.dtype, settings)

    @classmethod
    def of(
        cls,
        base: Path,
        adapter: Path | None,
        evaluation: EvaluationConfig,
        warn: Callable[[str], None],
        device: str | None = None,
    ) -> "TransformersEngine":
        """The engine that an evaluation asks for; see the class."""
        settings = TemplateSettings.of(evaluation)
        return cls(base, adapter, evaluation.dtype, evaluation.engine, warn, device, settings)

    @property
    def description(self) -> str:
        """Engine, versions and kind of device."""
        return self.facts.text

    def base_only(self) -> AbstractContextManager[None]:
        """Switches the adapter off inside the `with` block."""
        return self._loaded.base_only()

    def adapter_effect(self) -> float | None:
        """See `LoadedModel.adapter_effect`."""
        return self._loaded.adapter_effect()

    def fits(self, request: Request, new_tokens: int) -> bool:
        """Whether a request and an answer of that many tokens fit the model's context.

        Raises:
            ModelError: the request's opening has too few tokens.
        """
        room = self._loaded.room
        return room is None or len(self._loaded.encode_request(request)) + new_tokens <= room

    def generate(self, requests: Sequence[Request], sampling: Sampling, on_done: OnDone) -> list[list[Completion]]:
        """See `Engine.generate`. When memory runs out, the batch is halved, and finished completions are kept."""
        prompts = [self._loaded.encode_request(request) for request in requests]
        self._loaded.check_room(prompts, sampling.max_new_tokens)
        drawn: list[dict[int, Completion]] = [{} for _ in requests]
        budget = sampling.batch_tokens
        while missing := [p for p, request in enumerate(requests) if len(drawn[p]) < request.samples]:
            try:
                for place, sample, completion in self._draw(
                    [requests[p] for p in missing], [prompts[p] for p in missing], sampling, budget
                ):
                    if sample not in drawn[missing[place]]:
                        drawn[missing[place]][sample] = completion
                        on_done(1)
            except (RuntimeError, MemoryError) as error:
                budget = self._smaller(budget, error, max(len(prompts[p]) for p in missing) + sampling.max_new_tokens)
        return [[samples[number] for number in sorted(samples)] for samples in drawn]

    def log_probs(self, continuations: Sequence[Continuation], cut: bool = False) -> list[list[float]]:
        """See `Engine.log_probs`."""
        from components.shared.generation.scoring import Text, token_log_probs

        loaded = self._loaded
        texts = [
            Text(loaded.encode_to_final(conversation), loaded.encode_text(text)) for conversation, text in continuations
        ]
        if cut and loaded.room is not None:
            texts = [text._replace(text=text.text[: max(0, loaded.room - len(text.prompt))]) for text in texts]
        loaded.check_room([[*text.prompt, *text.text] for text in texts], 0)
        longest = max((len(text.prompt) + len(text.text) for text in texts), default=0)
        return self._halving(
            longest, lambda tokens: token_log_probs(loaded.model, texts, loaded.pad, loaded.device, tokens)
        )

    def first_tokens_divergence(self, continuations: Sequence[Continuation], tokens: int) -> list[float]:
        """How far the adapter moves the first tokens of answers.

        Args:
            continuations: conversations and answers.
            tokens: number of first tokens of each answer.

        Returns:
            For each answer the mean over its first tokens of KL(with adapter || base), nats; 0.0 without an adapter.
        """
        from components.shared.generation.scoring import Text, log_distributions

        loaded = self._loaded
        texts = [
            Text(loaded.encode_to_final(conversation), loaded.encode_text(text)[:tokens])
            for conversation, text in continuations
        ]
        longest = max((len(text.prompt) + len(text.text) for text in texts), default=0)

        def distributions(tokens_at_once: int) -> "list[torch.Tensor]":
            return log_distributions(loaded.model, texts, loaded.pad, loaded.device, tokens_at_once)

        tuned = self._halving(longest, distributions)
        with loaded.base_only():
            plain = self._halving(longest, distributions)
        return [
            float((with_adapter.exp() * (with_adapter - base)).sum(-1).mean()) if len(with_adapter) else 0.0
            for with_adapter, base in zip(tuned, plain, strict=True)
        ]

    def _draw(
        self, requests: Sequence[Request], prompts: list[list[int]], sampling: Sampling, budget: int
    ) -> Iterator[tuple[int, int, Completion]]:
        loaded = self._loaded
        samples, keys = [request.samples for request in requests], [request.key for request in requests]
        if self.facts.mode == "refill":
            from components.shared.generation.refill import refill_decode

            rows = max(1, budget // (max(map(len, prompts)) + sampling.max_new_tokens))
            finished = refill_decode(
                loaded.model, prompts, samples, keys, sampling, rows, loaded.ends, loaded.pad, loaded.device
            )
        elif self.facts.mode == "continuous":
            from components.shared.generation.library import generate_continuously

            finished = generate_continuously(
                loaded.model, prompts, samples, sampling, loaded.ends, loaded.pad, loaded.device
            )
        else:
            from components.shared.generation.library import generate

            finished = generate(
                loaded.model, loaded.tokenizer, prompts, samples, keys, sampling, budget, loaded.ends, loaded.device
            )
        for (prompt, sample), tokens in finished:
            yield prompt, sample, loaded.completion(tokens, requests[prompt])

    def _halving(self, smallest: int, score: Callable[[int], T]) -> T:
        """Scores texts in batches that are as large as memory allows."""
        from components.shared.generation.scoring import TOKENS_AT_ONCE

        budget = max(smallest, TOKENS_AT_ONCE)
        while True:
            try:
                return score(budget)
            except (RuntimeError, MemoryError) as error:
                budget = self._smaller(budget, error, smallest)

    def _smaller(self, budget: int, error: Exception, smallest: int) -> int:
        """Half the budget if memory ran out; raises any other error."""
        if not _out_of_memory(error):
            raise error
        if budget <= smallest:
            raise ModelError(
                f"out of memory with a single row of {smallest} tokens: lower evaluation.max_new_tokens, or use a "
                "device with more memory"
            ) from error
        half = max(smallest, budget // 2)
        self._warn(f"out of memory at {budget:,} tokens per batch; going on with {half:,}")
        if self._loaded.device.startswith("cuda"):
            import torch

            torch.cuda.empty_cache()
        return half


def _resolve(mode: str, device: str, base: Path) -> str:
    if mode not in MODES:
        raise ValueError(f"mode {mode!r}: expected one of {', '.join(MODES)}")
    if mode in ("generate", "continuous") or (mode == "auto" and device != "cpu"):
        return "generate" if mode == "auto" else mode
    if _family(base) in _PLAIN_FAMILIES:
        return "refill"
    from transformers import AutoConfig

    from components.shared.generation.refill import supports

    try:
        supported = supports(AutoConfig.from_pretrained(base, trust_remote_code=False))
    except (OSError, ValueError) as error:
        raise ModelError(f"base model {base}: cannot be loaded: {error}") from error
    if mode == "refill" and not supported:
        raise ModelError(
            f"base model {base}: not every layer attends to the whole context, which evaluation.engine 'refill' "
            "needs; use 'generate'"
        )
    return "refill" if supported else "generate"


def _family(base: Path) -> str | None:
    try:
        config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return config.get("model_type") if isinstance(config, dict) else None


def _out_of_memory(error: Exception) -> bool:
    import torch

    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
