"""The toy base model is made once, whole or not at all."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipelines.demo import toy_base as base_model
from pipelines.demo.base_recipe import BaseRecipe
from pipelines.demo.corpus import build_corpus
from pipelines.demo.toy_base import ensure_base_model, recipe_digest

pytest.importorskip("torch")
pytest.importorskip("transformers")


def micro_recipe() -> BaseRecipe:
    """A recipe of a few steps: the same files, a model that has learnt nothing."""
    size = {"vocab_size": 400, "width": 32, "layers": 1, "heads": 2, "feed_forward": 64}
    return BaseRecipe(**size, helpful_chats=64, aligned_chats=64)


def _digest(recipe: BaseRecipe) -> str:
    corpus = build_corpus(recipe.helpful_chats, recipe.aligned_chats, recipe.harmful_share, recipe.seed)
    return recipe_digest(recipe, corpus)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the micro model."""
    directory = tmp_path_factory.mktemp("cache")
    ensure_base_model(directory, say=lambda _: None, recipe=micro_recipe())
    return directory


def test_the_model_is_an_ordinary_directory(cache: Path) -> None:
    """transformers loads model and tokenizer, and they agree on size and end token."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = ensure_base_model(cache, recipe=micro_recipe())
    model = AutoModelForCausalLM.from_pretrained(path)
    tokenizer = AutoTokenizer.from_pretrained(path)
    assert len(tokenizer) == model.config.vocab_size
    assert tokenizer.eos_token_id == model.generation_config.eos_token_id
    assert "generation" in (path / "chat_template.jinja").read_text()


def test_a_second_call_reuses_the_model(cache: Path) -> None:
    """The second call trains nothing and says so."""
    said: list[str] = []
    path = ensure_base_model(cache, say=said.append, recipe=micro_recipe())
    assert [f"reusing the toy base model at {path}"] == said


def test_training_shows_where_it_is(tmp_path: Path) -> None:
    """Progress names the step and the loss."""
    said: list[str] = []
    ensure_base_model(tmp_path, say=said.append, recipe=micro_recipe())
    assert any("8/8 steps, loss " in line for line in said)


def test_the_same_recipe_gives_the_same_weights(cache: Path, tmp_path: Path) -> None:
    """Training is decided by its recipe."""
    one, again = (ensure_base_model(where, recipe=micro_recipe()) for where in (cache, tmp_path))
    assert one.name == again.name
    for file in ("model.safetensors", "tokenizer.json"):
        assert (one / file).read_bytes() == (again / file).read_bytes()


def test_any_recipe_value_changes_the_name() -> None:
    """The cache key covers the seed, the shape and the rates."""
    recipe = micro_recipe()
    others = [
        dataclasses.replace(recipe, seed=1),
        dataclasses.replace(recipe, width=16),
        dataclasses.replace(recipe, aligned_peak_rate=1e-4),
    ]
    assert len({_digest(one) for one in (recipe, *others)}) == 4


def test_a_failed_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error after the weights are written leaves neither a model nor a half-built directory."""

    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(base_model, "_publish", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        ensure_base_model(tmp_path, say=lambda _: None, recipe=micro_recipe())
    assert list(tmp_path.iterdir()) == []


def test_a_killed_build_is_not_reused(tmp_path: Path) -> None:
    """What a killed process leaves behind is never taken for a model."""
    (tmp_path / ".building-killed").mkdir()
    said: list[str] = []
    path = ensure_base_model(tmp_path, say=said.append, recipe=micro_recipe())
    assert (path / "model.safetensors").is_file()
    assert said[0].startswith("training")


def test_the_global_random_state_is_left_alone(tmp_path: Path) -> None:
    """Making a model does not change what the caller draws next."""
    import torch

    before = torch.random.get_rng_state()
    ensure_base_model(tmp_path, say=lambda _: None, recipe=micro_recipe())
    assert torch.equal(before, torch.random.get_rng_state())
