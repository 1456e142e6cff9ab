"""A base model in memory, with or without an adapter: its tokenizer, its context length and the adapter's switch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.shared.artifacts.suite_prompt import Message
from components.shared.errors import ModelError
from components.shared.generation.chat_template import ChatTemplate, TemplateSettings
from components.shared.generation.engine import Completion, Conversation, Opening, Request
from components.shared.generation.model_loading import end_tokens, load_tokenizer, load_weights
from components.shared.generation.thinking import has_channels, split_thought

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
        self.ends = frozenset(end_tokens(base, self.tokenizer))
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
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None)

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

    def encode_to_final(self, conversation: Conversation) -> list[int]:
        """The tokens of a conversation, up to where the final text of the answer begins, without a thought."""
        return [*self.encode(conversation), *self.encode_text(self.template.to_final)]

    def encode_request(self, request: Request) -> list[int]:
        """The tokens of a conversation and of the forced opening of the assistant's final text.

        Raises:
            ModelError: the opening has too few tokens.
        """
        if not request.opening.tokens:
            return self.encode(request.conversation)
        return [*self.encode_to_final(request.conversation), *self._encode_opening(request.opening)]

    def encode_text(self, text: str) -> list[int]:
        """The tokens of a text inside a turn."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def completion(self, tokens: Sequence[int], request: Request) -> Completion:
        """The answer in generated tokens: all before the first end token, split into reasoning and final text."""
        length = next((place for place, token in enumerate(tokens) if token in self.ends), None)
        kept = tokens if length is None else tokens[:length]
        forced = request.opening.tokens > 0
        thought = split_thought(
            self.tokenizer.decode(kept, skip_special_tokens=False),
            opened=self.template.opens_thought and not forced,
            channels=has_channels(self.template.to_final) and not forced,
        )
        if thought.reasoning or thought.unfinished or thought.marked:
            reasoning, text = self._without_marks(thought.reasoning), self._without_marks(thought.final)
        else:
            reasoning, text = "", self.tokenizer.decode(kept, skip_special_tokens=True).strip()
        return Completion(text, len(kept), length is not None, reasoning, thought.unfinished)

    def _without_marks(self, text: str) -> str:
        for mark in self.tokenizer.all_special_tokens:
            text = text.replace(mark, "")
        return text.strip()

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
