"""The estimate of memory, against figures that were worked out by hand."""

import pytest

from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.sections import Recipe
from pipelines.starting.memory_needs import evaluation_need, lora_parameters, size_text, training_need
from pipelines.starting.model_shapes import Linear, ModelShape

SHAPE = ModelShape(
    parameters=1_000_000,
    linears=(Linear("q_proj", 100, 200), Linear("up_proj", 100, 400)),
    layers=2,
    hidden=100,
    vocabulary=1000,
    kv_width=50,
)


def test_training_is_weights_adapter_activations_and_logits():
    """With checkpointing one vector per layer and token is kept, and one layer is recomputed at a time."""
    recipe = Recipe(lora_rank=4, batch_size=2, max_length=10, gradient_checkpointing=True)
    assert training_need(SHAPE, recipe, on_gpu=True).parts == {
        "weights": 2_000_000,
        "adapter and optimizer": 16 * 4 * (300 + 500),
        "activations": 2 * 20 * 100 * 2 + 17 * 20 * 100 * 2,
        "logits": 20 * 1000 * 10,
    }
    kept = recipe.model_copy(update={"gradient_checkpointing": False})
    assert training_need(SHAPE, kept, on_gpu=True).parts["activations"] == 2 * 17 * 20 * 100 * 2


def test_evaluation_is_weights_keys_and_values():
    """On a CPU `auto` is float32: four bytes each."""
    need = evaluation_need(SHAPE, EvaluationConfig(batch_tokens=1000), on_gpu=False)
    assert need.parts == {"weights": 4_000_000, "keys and values": 1000 * 2 * 2 * 50 * 4}
    assert need.total == 4_800_000
    assert need.sentence == "about 5 MiB (estimate): weights 4 MiB + keys and values 1 MiB"


@pytest.mark.parametrize(
    ("targets", "expected"),
    [(("all-linear",), 8 * 800), (("q_proj",), 8 * 300), (("layers.0.up_proj",), 8 * 500), (("other",), 0)],
)
def test_lora_is_counted_where_it_goes(targets, expected):
    """Rank times both sizes of every layer that is named."""
    assert lora_parameters(SHAPE.linears, Recipe(lora_rank=8, target_modules=targets)) == expected


def test_sizes_are_readable():
    """Large ones in GiB, small ones in MiB."""
    assert [size_text(size) for size in (0, 5 * 2**20, 3 * 2**30)] == ["0 MiB", "5 MiB", "3.0 GiB"]
