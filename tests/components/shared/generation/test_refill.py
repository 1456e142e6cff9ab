"""The decode loop, against plain `generate`, on real models of several families."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    Gemma2Config,
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    T5Config,
)

from components.shared.generation.engine import Sampling
from components.shared.generation.refill import Draw, inverse_cdf, refill_decode, supports

VOCABULARY, END, PAD = 48, 1, 0
SIZES: dict[str, Any] = {"vocab_size": VOCABULARY, "bos_token_id": None, "eos_token_id": END, "pad_token_id": PAD}
GREEDY = Sampling(max_new_tokens=20, temperature=0.0, top_p=1.0, seed=0, batch_tokens=0)


def _model(family: str) -> Any:
    torch.manual_seed(3)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    match family:
        case "llama":
            config = LlamaConfig(**SIZES, **small, num_key_value_heads=2, initializer_range=0.5)
            model = LlamaForCausalLM(config)
        case "qwen2":
            model = Qwen2ForCausalLM(Qwen2Config(**SIZES, **small, num_key_value_heads=4, initializer_range=0.5))
        case _:
            config = GPT2Config(**SIZES, n_embd=16, n_layer=2, n_head=2, n_positions=128, initializer_range=0.5)
            model = GPT2LMHeadModel(config)
    return model.eval()


@pytest.fixture(scope="module", params=["llama", "qwen2", "gpt2"])
def model(request: pytest.FixtureRequest) -> Any:
    return _model(request.param)


@pytest.fixture(scope="module")
def llama() -> Any:
    return _model("llama")


def alone(model: Any, prompt: list[int], longest: int) -> list[int]:
    settings = GenerationConfig(max_new_tokens=longest, do_sample=False, eos_token_id=END, pad_token_id=PAD)
    with torch.inference_mode():
        output = model.generate(
            input_ids=torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            generation_config=settings,
        )
    tokens = output[0, len(prompt) :].tolist()
    return tokens[: tokens.index(END) + 1] if END in tokens else tokens


def decode(model: Any, prompts: list[list[int]], samples: list[int], sampling: Sampling, rows: int) -> dict[Draw, list]:
    keys = [f"p-{place}" for place in range(len(prompts))]
    found = refill_decode(model, prompts, samples, keys, sampling, rows, frozenset([END]), PAD, "cpu")
    return {finished.draw: finished.tokens for finished in found}


def test_greedy_answers_are_those_of_generate(model: Any):
    """Token for token, for families with rotary and learned positions, with more prompts than rows."""
    rng = np.random.default_rng(0)
    prompts = [rng.integers(2, VOCABULARY, size=size).tolist() for size in rng.integers(1, 30, size=40)]
    found = decode(model, prompts, [1] * 40, GREEDY, rows=6)
    expected = {Draw(place, 0): alone(model, prompt, 20) for place, prompt in enumerate(prompts)}
    assert found == expected
    assert len({tuple(tokens) for tokens in expected.values()}) > 3


def test_the_answers_compared_are_ragged(llama: Any):
    """The comparison above means something: answers end at many different lengths."""
    found = decode(llama, [[token] for token in range(2, VOCABULARY)], [1] * (VOCABULARY - 2), GREEDY, rows=6)
    assert len({len(tokens) for tokens in found.values()}) > 3


@settings(max_examples=25)
@given(
    sizes=st.lists(st.integers(1, 25), min_size=1, max_size=12),
    rows=st.integers(1, 9),
    longest=st.integers(1, 90),
    seed=st.integers(0, 1000),
)
def test_any_number_of_rows_gives_the_same_greedy_answers(
    llama: Any, sizes: list[int], rows: int, longest: int, seed: int
):
    """Rows that come, go, move and are cut off at the front change no token, at any length."""
    rng = np.random.default_rng(seed)
    prompts = [rng.integers(2, VOCABULARY, size=size).tolist() for size in sizes]
    found = decode(llama, prompts, [1] * len(prompts), GREEDY._replace(max_new_tokens=longest), rows)
    assert found == {Draw(place, 0): alone(llama, prompt, longest) for place, prompt in enumerate(prompts)}


def test_samples_of_a_prompt_differ_and_are_repeated(llama: Any):
    """k samples come from one prompt's keys and values, differ from each other, and come again with the seed."""
    sampling = GREEDY._replace(temperature=1.0)
    first = decode(llama, [[5, 6, 7], [8]], [6, 2], sampling, rows=3)
    assert set(first) == {*(Draw(0, n) for n in range(6)), Draw(1, 0), Draw(1, 1)}
    assert len({tuple(tokens) for tokens in first.values()}) > 4
    assert decode(llama, [[5, 6, 7], [8]], [6, 2], sampling, rows=8) == first
    assert decode(llama, [[5, 6, 7], [8]], [6, 2], sampling._replace(seed=1), rows=8) != first


def test_answers_are_drawn_from_the_models_distribution(llama: Any):
    """The first token of 4,000 samples has the frequencies of the model's softmax (chi-square, 1 in 10,000)."""
    from scipy.stats import chisquare

    sampling = GREEDY._replace(max_new_tokens=1, temperature=0.8)
    tokens = [completion[0] for completion in decode(llama, [[5, 6, 7]], [4000], sampling, rows=500).values()]
    with torch.inference_mode():
        expected = torch.softmax(llama(input_ids=torch.tensor([[5, 6, 7]])).logits[0, -1] / 0.8, dim=-1).numpy()
    counts = np.bincount(tokens, minlength=VOCABULARY)
    common = expected * 4000 >= 5
    observed = [*counts[common], counts[~common].sum()]
    wanted = np.array([*expected[common], expected[~common].sum()], dtype=np.float64)
    assert chisquare(observed, wanted / wanted.sum() * 4000).pvalue > 1e-4


@given(
    logits=st.lists(st.floats(-20, 20), min_size=2, max_size=30),
    uniform=st.floats(0, 1, exclude_max=True, width=32),
    top_p=st.floats(0.05, 1.0),
)
def test_a_drawn_token_is_in_the_nucleus(logits: list[float], uniform: float, top_p: float):
    """No uniform number, not even the largest below 1, draws a token outside the smallest set that reaches top_p."""
    sampling = GREEDY._replace(temperature=1.0, top_p=top_p)
    row = torch.tensor([logits], dtype=torch.float32)
    token = int(inverse_cdf(row, sampling, torch.tensor([uniform], dtype=torch.float32))[0])
    probabilities = torch.softmax(row[0], dim=-1)
    likelier = float(probabilities[probabilities > probabilities[token]].sum())
    assert probabilities[token] > 0
    assert likelier < top_p + 1e-5


def test_the_uniform_number_decides_the_token():
    """Cumulative probabilities 0.1, 0.3, 0.6, 1.0 are inverted at their steps."""
    logits = torch.log(torch.tensor([[0.1, 0.2, 0.3, 0.4]] * 4))
    drawn = inverse_cdf(logits, GREEDY._replace(temperature=1.0), torch.tensor([0.05, 0.25, 0.59, 0.999]))
    assert drawn.tolist() == [0, 1, 2, 3]


def test_nothing_to_draw_is_nothing_drawn(llama: Any):
    """No prompts, or no samples of any, give no completions."""
    assert decode(llama, [], [], GREEDY, rows=4) == {}
    assert decode(llama, [[5]], [0], GREEDY, rows=4) == {}


def test_models_with_other_attention_are_left_to_the_library(llama: Any):
    """Windows, encoders and position biases are not what the loop's columns mean."""
    assert supports(llama.config)
    assert not supports(Gemma2Config(num_hidden_layers=2))
    assert not supports(T5Config())


def test_the_consumer_is_not_in_inference_mode(llama: Any):
    """Whoever reads the completions as they come may use gradients."""
    for _ in refill_decode(llama, [[5, 6]], [3], ["p"], GREEDY, 2, frozenset([END]), PAD, "cpu"):
        assert not torch.is_inference_mode_enabled()
