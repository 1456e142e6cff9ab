"""Estimates the memory of a GPU, or of a machine without one, that a config's training and evaluation need.

The formula is in docs/models.md. It leaves out what the allocator and the libraries take, so leave some room; try your
own longest rows before you rely on it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.sections import Recipe
from pipelines.starting.model_shapes import Linear, ModelShape

_GIB = 2**30
_ADAPTER_BYTES = 16
"""Per LoRA parameter in float32: weight, gradient, and AdamW's two moments."""
_LAYER_VALUES = 17
"""Values per token and width that one layer keeps for the backward pass: 34 bytes in 16 bits (Korthikanti et al. 2022,
arXiv:2205.05198, without the attention's square, which fused attention does not keep)."""


class MemoryNeed(NamedTuple):
    """Bytes that something needs, by part."""

    parts: dict[str, int]

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(self.parts.values())

    @property
    def sentence(self) -> str:
        """The sum and its parts."""
        listed = " + ".join(f"{name} {size_text(size)}" for name, size in self.parts.items())
        return f"about {size_text(self.total)} (estimate): {listed}"


def training_need(shape: ModelShape, recipe: Recipe, on_gpu: bool) -> MemoryNeed:
    """What the fine-tuning needs.

    Args:
        shape: of the base model.
        recipe: its batch, length, rank and checkpointing count.
        on_gpu: whether `auto` means bfloat16.
    """
    size = bytes_of(recipe.dtype, on_gpu)
    tokens = recipe.batch_size * recipe.max_length
    layer = _LAYER_VALUES * tokens * shape.hidden * size
    if recipe.gradient_checkpointing:
        activations = shape.layers * tokens * shape.hidden * size + layer
    else:
        activations = shape.layers * layer
    return MemoryNeed(
        {
            "weights": shape.parameters * size,
            "adapter and optimizer": _ADAPTER_BYTES * lora_parameters(shape.linears, recipe),
            "activations": activations,
            "logits": tokens * shape.vocabulary * (size + 8),  # and twice in float32: a copy, and its gradient
        }
    )


def evaluation_need(shape: ModelShape, evaluation: EvaluationConfig, on_gpu: bool) -> MemoryNeed:
    """What drawing answers needs.

    Args:
        shape: of the base model.
        evaluation: its budget of a batch counts.
        on_gpu: whether `auto` means bfloat16.
    """
    size = bytes_of(evaluation.dtype, on_gpu)
    return MemoryNeed(
        {
            "weights": shape.parameters * size,
            "keys and values": evaluation.batch_tokens * 2 * shape.layers * shape.kv_width * size,
        }
    )


def lora_parameters(linears: Sequence[Linear], recipe: Recipe) -> int:
    """The trained parameters: rank x (inputs + outputs) of every layer that gets LoRA."""
    everywhere = recipe.target_modules == ("all-linear",)
    names = {name.rpartition(".")[2] for name in recipe.target_modules}
    return sum(recipe.lora_rank * (each.inputs + each.outputs) for each in linears if everywhere or each.name in names)


def bytes_of(dtype: str, on_gpu: bool) -> int:
    """Bytes of a number; auto is bfloat16 on a GPU and float32 elsewhere."""
    return 2 if dtype == "bfloat16" or (dtype == "auto" and on_gpu) else 4


def size_text(size: int) -> str:
    """Bytes as people read them, in GiB or MiB."""
    return f"{size / _GIB:.1f} GiB" if size >= _GIB // 10 else f"{size / 2**20:.0f} MiB"
