"""The default engine, on a real model of a few thousand parameters."""

import shutil
from pathlib import Path

import pytest
import torch

from components.shared.artifacts.evaluation import Message
from components.shared.errors import ModelError
from components.shared.generation.engine import Sampling
from components.shared.generation.transformers_engine import TransformersEngine, engine_facts

GREEDY = Sampling(samples=1, max_new_tokens=12, temperature=0.0, top_p=1.0, seed=0, batch_tokens=400)
DRAWN = GREEDY._replace(samples=3, temperature=1.0)


def ask(*texts: str) -> list[list[Message]]:
    return [[Message(role="user", content=text)] for text in texts]


TEXTS = ("How do I do this?", "Tell me.", "What is two and two? It is four. The cat sat on the mat.", "x", "The cat")


@pytest.fixture(scope="module")
def base(tiny_base: Path) -> TransformersEngine:
    return TransformersEngine(tiny_base)


@pytest.fixture(scope="module")
def tuned(tiny_base: Path, tiny_adapter: Path) -> TransformersEngine:
    return TransformersEngine(tiny_base, tiny_adapter)


def nothing(count: int) -> None:
    assert count > 0


def test_greedy_answers_are_those_of_plain_generate(base: TransformersEngine, tiny_base: Path):
    """Batching and padding change no token: each answer is what transformers gives for that prompt alone."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    model = AutoModelForCausalLM.from_pretrained(tiny_base).eval()
    expected = []
    for text in TEXTS:
        encoded = tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            output = model.generate(**encoded, max_new_tokens=12, do_sample=False)
        expected.append(tokenizer.decode(output[0, encoded["input_ids"].shape[1] :], skip_special_tokens=True).strip())
    answers = base.generate(ask(*TEXTS), GREEDY, nothing)
    assert [completions[0].text for completions in answers] == expected
    assert len(set(expected)) > 1


def test_each_prompt_gets_its_samples(base: TransformersEngine):
    """k completions per prompt, counted as they finish; more than one of them differs."""
    counts: list[int] = []
    answers = base.generate(ask(*TEXTS), DRAWN, counts.append)
    assert [len(completions) for completions in answers] == [3] * 5
    assert sum(counts) == 15
    assert len(counts) > 1
    assert len({completion.text for completions in answers for completion in completions}) > 5


def test_the_seed_decides_the_answers(base: TransformersEngine):
    """The same seed draws the same answers, another seed others; the caller's random state is left alone."""
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = base.generate(ask(*TEXTS), DRAWN, nothing)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    assert base.generate(ask(*TEXTS), DRAWN, nothing) == first
    assert base.generate(ask(*TEXTS), DRAWN._replace(seed=1), nothing) != first


def test_an_answer_knows_its_length_and_its_end(base: TransformersEngine):
    """An answer that ended by itself is complete and shorter than the limit; others are cut at it."""
    answers = base.generate(ask(*TEXTS), DRAWN._replace(samples=40), nothing)
    completions = [completion for per_prompt in answers for completion in per_prompt]
    assert {completion.complete for completion in completions} == {True, False}
    assert all(completion.tokens < 12 for completion in completions if completion.complete)
    assert all(completion.tokens == 12 for completion in completions if not completion.complete)
    assert not any("<|end|>" in completion.text for completion in completions)


def test_switching_the_adapter_off_gives_the_base(base: TransformersEngine, tuned: TransformersEngine):
    """One load serves both sides: the base's tokens come back, and the adapter's before and after."""
    plain, with_adapter = base.generate(ask(*TEXTS), DRAWN, nothing), tuned.generate(ask(*TEXTS), DRAWN, nothing)
    with tuned.base_only():
        off = tuned.generate(ask(*TEXTS), DRAWN, nothing)
    assert off == plain
    assert with_adapter != plain
    assert tuned.generate(ask(*TEXTS), DRAWN, nothing) == with_adapter


def test_a_base_alone_is_its_own_base(base: TransformersEngine):
    """Without an adapter there is nothing to switch off, and no effect."""
    with base.base_only():
        assert base.adapter_effect() is None


def test_the_effect_of_an_adapter_shows(tuned: TransformersEngine, tiny_base: Path, zero_adapter: Path):
    """An adapter that changes logits has an effect above zero, one with B = 0 has exactly none."""
    assert tuned.adapter_effect() > 0.01
    assert TransformersEngine(tiny_base, zero_adapter).adapter_effect() == 0


def test_a_prompt_that_does_not_fit_is_refused(base: TransformersEngine):
    """The context's limit is checked before the first token is made."""
    with pytest.raises(ModelError, match=r"evaluation\.max_new_tokens is 12, but the base model's context holds 128"):
        base.generate(ask("The cat sat on the mat. " * 20), GREEDY, nothing)


def test_no_prompts_are_no_answers(base: TransformersEngine):
    """An empty list is answered with an empty list."""
    assert base.generate([], GREEDY, nothing) == []


def test_a_tokenizer_without_chat_template_is_refused(copy_of_base):
    """A base model that was never aligned to chats cannot be compared."""
    with pytest.raises(ModelError, match="its tokenizer has no chat template; Plimsoll tunes chat models"):
        TransformersEngine(copy_of_base(None))


def test_what_cannot_be_loaded_is_a_model_error(tiny_base: Path, tmp_path: Path):
    """Broken weights and a directory without an adapter name the directory."""
    broken = tmp_path / "broken"
    shutil.copytree(tiny_base, broken)
    (broken / "config.json").unlink()
    with pytest.raises(ModelError, match="broken: cannot be loaded"):
        TransformersEngine(broken)
    (tmp_path / "adapter").mkdir()
    with pytest.raises(ModelError, match="adapter: cannot be loaded"):
        TransformersEngine(tiny_base, tmp_path / "adapter")


def test_broken_weights_are_a_model_error(tiny_base: Path, tmp_path: Path):
    """A truncated weights file is an error with the directory's name, not a traceback of its format."""
    broken = tmp_path / "broken"
    shutil.copytree(tiny_base, broken)
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelError, match="broken: cannot be loaded"):
        TransformersEngine(broken)


def test_a_broken_adapter_is_a_model_error(tiny_base: Path, tiny_adapter: Path, tmp_path: Path):
    """A truncated adapter is an error with the directory's name."""
    broken = Path(shutil.copytree(tiny_adapter, tmp_path / "adapter"))
    weights = broken / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelError, match="adapter: cannot be loaded"):
        TransformersEngine(tiny_base, broken)


def test_the_facts_are_known_without_a_model(base: TransformersEngine):
    """Engine, versions, device and dtype enter the contract before anything is loaded."""
    facts = engine_facts("auto")
    assert facts.dtype == ("bfloat16" if facts.device == "cuda" else "float32")
    assert engine_facts("bfloat16").dtype == "bfloat16"
    assert base.description == facts.text
    assert facts.text.startswith("transformers-")
