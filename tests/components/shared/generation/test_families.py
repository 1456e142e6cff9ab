"""Tiny random models of real families, with their real tokenizers: every engine answers the same."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from components.shared.artifacts.suite_prompt import Message
from components.shared.generation.base_models import base_digest
from components.shared.generation.chat_template import TemplateSettings
from components.shared.generation.engine import Request, Sampling
from components.shared.generation.transformers_engine import TransformersEngine
from tests.support.families import FAMILIES, Family, make_base

SETTINGS = TemplateSettings(system_turns="fold")
SYSTEM = "Answer briefly."
TEXTS = ("How do I do this?", "What is two and two, and why is it so?")
GREEDY = Sampling(12, 0.0, 1.0, 0, 4096)
pytestmark = pytest.mark.long


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Family, Path, Path]:
    """A family, a tiny base of it, and an adapter that changes its answers."""
    chosen: Family = request.param
    base = make_base(chosen, tmp_path_factory.mktemp("base"))
    return chosen, base, _adapter(base, tmp_path_factory.mktemp("adapter"))


def _adapter(base: Path, target: Path) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model

    from components.shared.generation.model_loading import load_tokenizer, load_weights

    torch.manual_seed(1)
    tuned: Any = get_peft_model(
        load_weights(base, "float32", load_tokenizer(base)),
        LoraConfig(r=2, target_modules=r".*(language_model|layers)\..*o_proj"),
    )
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.copy_(2.0 * torch.randn_like(weights))
    tuned.save_pretrained(target, safe_serialization=True)
    return target


def answers(base: Path, adapter: Path | None, mode: str) -> list[str]:
    """Greedy answers, thoughts included."""
    engine = TransformersEngine(base, adapter, dtype="float32", mode=mode, settings=SETTINGS)
    turns = [(Message(role="system", content=SYSTEM), Message(role="user", content=text)) for text in TEXTS]
    drawn = engine.generate([Request(each, 1, each[1].content) for each in turns], GREEDY, lambda _: None)
    return [f"{one.reasoning}|{one.text}" for (one,) in drawn]


def test_engines_agree_and_the_adapter_counts(family: tuple[Family, Path, Path]):
    """Where our loop can run the family, its greedy answers are those of transformers; the adapter changes them."""
    _, base, adapter = family
    plain, tuned = answers(base, None, "generate"), answers(base, adapter, "generate")
    assert plain != tuned
    if TransformersEngine(base, None).facts.mode == "refill":
        assert answers(base, adapter, "refill") == tuned
        assert answers(base, None, "refill") == plain


def test_the_registered_model_answers_as_evaluated(family: tuple[Family, Path, Path]):
    """The file that MLflow serves renders, answers and leaves thoughts out as the evaluation does."""
    _, base, adapter = family
    served = importlib.import_module("components.register_adapter.adapter_model")
    config = {
        "base_path": str(base),
        "base_hub_id": None,
        "base_revision": None,
        "base_digest": base_digest(base),
        "system_prompt": SYSTEM,
        **SETTINGS.served(),
    }
    place = type("Place", (), {"model_config": config, "artifacts": {"adapter": str(adapter)}})
    model = served.AdapterModel()
    model.load_context(place)
    got = model.predict(None, list(TEXTS), {"max_new_tokens": GREEDY.max_new_tokens, "temperature": 0.0})
    assert got == [each.partition("|")[2] for each in answers(base, adapter, "auto")]
