"""A base model in memory, with or without an adapter: its tokenizer, its context length and the adapter's switch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.shared.artifacts.suite_prompt import Message
from components.shared.errors import ModelError
from components.shared.generation.chat_template import ChatTemplate, TemplateSettings
from components.shared.generation.engine import Completion, Conversation, Opening, Request
from components.shared.generation.loading import end_tokens, load_tokenizer, load_weights, text_config

if TYPE_CHECKING:
    import torch

_PROBE = (Message(role="user", content="How do I do this?"),)
"""A conversation whose next-token logits show whether the adapter has any effect."""


class LoadedModel:
    """Weights and tokenizer.

    Args:
        base: directory of the base model.
        adapter: directory of a LoRA adapter, or None for the base alone.
        device: cpu, cuda, cuda:1, ...
        dtype: float32 or bfloat16.
        settings: how chats are rendered.

    Raises:
        ConfigError: the base's files are not those of one whole model.
        ModelError: model or adapter cannot be loaded, or the tokenizer has no chat template.
    """

    def __init__(self, base: Path, adapter: Path | None, device: str, dtype: str, settings: TemplateSettings) -> None:
        from transformers import GenerationConfig

        self.device = device
        self.tokenizer = load_tokenizer(base)
        self.tokenizer.padding_side = "left"
        self.template = ChatTemplate(self.tokenizer, settings)
        model = load_weights(base, dtype, self.tokenizer)
        self.ends = frozenset(end_tokens(base))
        # Otherwise the model's default sampling settings would fill what our configuration leaves open.
        model.generation_config = GenerationConfig()
        if adapter is not None:
            model = _with_adapter(model, adapter)
        self.has_adapter = adapter is not None
        self.model = model.to(device).eval()

    @property
    def pad(self) -> int:
        """The token that fills a row; never attended to."""
        return int(self.tokenizer.pad_token_id)

    @property
    def room(self) -> int | None:
        """Length of the context in tokens; None if the model's config does not name it."""
        return getattr(text_config(self.model.config), "max_position_embeddings", None)

    @contextmanager
    def base_only(self) -> Iterator[None]:
        """Switches the adapter off inside the `with` block."""
        if not self.has_adapter:
            yield
            return
        with self.model.disable_adapter():
            yield

    def adapter_effect(self) -> float | None:
        """Largest absolute change of a probe's next-token logits that the adapter causes; None without one.

        0.0 means that the adapter is not applied or is empty, which loading may not report (peft #515).
        """
        if not self.has_adapter:
            return None
        tuned = self._probe_logits()
        with self.base_only():
            plain = self._probe_logits()
        return float((tuned - plain).abs().max())

    def encode(self, conversation: Conversation) -> list[int]:
        """The tokens of a conversation, up to where the assistant's turn begins."""
        return self.template.tokens(conversation, answering=True)

    def encode_request(self, request: Request) -> list[int]:
        """The tokens of a conversation and of the forced opening of the assistant's turn.

        Raises:
            ModelError: the opening has too few tokens.
        """
        return [*self.encode(request.conversation), *self._encode_opening(request.opening)]

    def encode_text(self, text: str) -> list[int]:
        """The tokens of a text inside a turn."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def completion(self, tokens: Sequence[int]) -> Completion:
        """The answer in generated tokens: all before the first end token."""
        length = next((place for place, token in enumerate(tokens) if token in self.ends), None)
        kept = tokens if length is None else tokens[:length]
        text = self.tokenizer.decode(kept, skip_special_tokens=True)
        return Completion(text=text.strip(), tokens=len(kept), complete=length is not None)

    def check_room(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> None:
        """Checks that every prompt and its answer fit the context.

        Raises:
            ModelError: the longest does not.
        """
        longest = max(map(len, prompts), default=0)
        if self.room is not None and longest + new_tokens > self.room:
            raise ModelError(
                f"the longest prompt has {longest} tokens and evaluation.max_new_tokens is {new_tokens}, but the base "
                f"model's context holds {self.room}; lower max_new_tokens or drop that prompt"
            )

    def _encode_opening(self, opening: Opening) -> list[int]:
        tokens = self.encode_text(opening.text)
        if len(tokens) < opening.tokens:
            raise ModelError(
                f"opening {opening.text!r}: has {len(tokens)} tokens under this tokenizer, expected at least "
                f"{opening.tokens}; force a longer text or fewer tokens"
            )
        return tokens[: opening.tokens]

    def _probe_logits(self) -> "torch.Tensor":
        import torch

        tokens = torch.tensor([self.encode(_PROBE)], device=self.device)
        with torch.inference_mode():
            logits: torch.Tensor = self.model(input_ids=tokens).logits[0, -1].float()
        return logits


def _with_adapter(model: Any, adapter: Path) -> Any:
    from peft import PeftModel
    from safetensors import SafetensorError

    try:
        return PeftModel.from_pretrained(model, str(adapter))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"adapter {adapter}: cannot be loaded: {error}") from error
