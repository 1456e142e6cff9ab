"""The default engine, on a real model of a few thousand parameters."""

import shutil
from pathlib import Path

import pytest
import torch

from components.shared.artifacts.suite_prompt import Message
from components.shared.errors import ConfigError, ModelError
from components.shared.generation.engine import Continuation, Opening, Request, Sampling
from components.shared.generation.transformers_engine import TransformersEngine, engine_facts

GREEDY = Sampling(max_new_tokens=12, temperature=0.0, top_p=1.0, seed=0, batch_tokens=400)
DRAWN = GREEDY._replace(temperature=1.0)


def ask(*texts: str, samples: int = 1) -> list[Request]:
    return [Request((Message(role="user", content=text),), samples, f"p-{n}") for n, text in enumerate(texts)]


TEXTS = ("How do I do this?", "Tell me.", "What is two and two? It is four. The cat sat on the mat.", "x", "The cat")


@pytest.fixture(scope="module", params=["refill", "generate"])
def base(request: pytest.FixtureRequest, tiny_base: Path) -> TransformersEngine:
    return TransformersEngine(tiny_base, mode=request.param)


@pytest.fixture(scope="module", params=["refill", "generate"])
def tuned(request: pytest.FixtureRequest, tiny_base: Path, tiny_adapter: Path) -> TransformersEngine:
    return TransformersEngine(tiny_base, tiny_adapter, mode=request.param)


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


OPENING = "I can't help with that. Here is how you do it."


def test_a_forced_beginning_is_exact(base: TransformersEngine, tiny_base: Path):
    """The answer goes on from the opening's first tokens as plain generate does, and does not repeat them."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    model = AutoModelForCausalLM.from_pretrained(tiny_base).eval()
    forced = tokenizer(OPENING, add_special_tokens=False)["input_ids"]
    requests, expected = [], []
    for text in TEXTS[:3]:
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, return_dict=True
        )["input_ids"]
        for count in (0, 1, 5, 10):
            inputs = torch.tensor([[*prompt, *forced[:count]]])
            with torch.inference_mode():
                output = model.generate(
                    inputs, attention_mask=torch.ones_like(inputs), max_new_tokens=12, do_sample=False
                )
            expected.append(tokenizer.decode(output[0, inputs.shape[1] :], skip_special_tokens=True).strip())
            requests.append(ask(text)[0]._replace(key=f"{text}~{count}", opening=Opening(OPENING, count)))
    answers = base.generate(requests, GREEDY, nothing)
    assert [completions[0].text for completions in answers] == expected
    assert all(completions[0].tokens <= 12 for completions in answers)
    assert len(set(expected)) > len(expected) / 2


def test_no_forced_beginning_changes_nothing(base: TransformersEngine):
    """Zero tokens of an opening are the ordinary request, answer for answer."""
    plain = ask(*TEXTS, samples=2)
    opened = [request._replace(opening=Opening(OPENING, 0)) for request in plain]
    assert base.generate(opened, DRAWN, nothing) == base.generate(plain, DRAWN, nothing)


def test_an_opening_that_is_too_short_is_refused(base: TransformersEngine):
    """More tokens than the text has cannot be forced: the error says how many it has."""
    request = ask("Tell me.")[0]._replace(opening=Opening("Sure", 50))
    with pytest.raises(ModelError, match=r"opening 'Sure': has \d tokens under this tokenizer, expected at least 50"):
        base.generate([request], GREEDY, nothing)


def test_whether_a_request_fits_is_known_before_it_is_asked(base: TransformersEngine):
    """Conversation, opening and answer together; what does not fit is what generate refuses."""
    (request,) = ask("Tell me.")
    assert base.fits(request, 12)
    assert not base.fits(request, 128)
    long = request._replace(opening=Opening(OPENING * 20, 120))
    assert not base.fits(long, 12)
    with pytest.raises(ModelError, match="context holds 128"):
        base.generate([long], GREEDY, nothing)


def test_each_prompt_gets_its_samples(base: TransformersEngine):
    """k completions per prompt, counted as they finish; more than one of them differs."""
    counts: list[int] = []
    answers = base.generate(ask(*TEXTS, samples=3), DRAWN, counts.append)
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
    answers = base.generate(ask(*TEXTS, samples=40), DRAWN, nothing)
    completions = [completion for per_prompt in answers for completion in per_prompt]
    assert {completion.complete for completion in completions} == {True, False}
    assert all(completion.tokens < 12 for completion in completions if completion.complete)
    assert all(completion.tokens == 12 for completion in completions if not completion.complete)
    assert not any("<|end|>" in completion.text for completion in completions)


def test_switching_the_adapter_off_gives_the_base(tuned: TransformersEngine, tiny_base: Path):
    """One load serves both sides: the base's tokens come back, and the adapter's before and after."""
    base = TransformersEngine(tiny_base, mode=tuned.facts.mode)
    plain, with_adapter = base.generate(ask(*TEXTS), DRAWN, nothing), tuned.generate(ask(*TEXTS), DRAWN, nothing)
    with tuned.base_only():
        off = tuned.generate(ask(*TEXTS), DRAWN, nothing)
    assert off == plain
    assert with_adapter != plain
    assert tuned.generate(ask(*TEXTS), DRAWN, nothing) == with_adapter


@pytest.mark.long
def test_continuous_batching_gives_the_same_greedy_answers(tiny_base: Path):
    """The library's continuous batching is a setting, and changes no greedy token, after a forced beginning neither."""
    continuous = TransformersEngine(tiny_base, mode="continuous")
    plain = TransformersEngine(tiny_base, mode="generate")
    requests = [*ask(*TEXTS), ask(TEXTS[0])[0]._replace(opening=Opening(OPENING, 5))]
    assert continuous.generate(requests, GREEDY, nothing) == plain.generate(requests, GREEDY, nothing)


def test_requests_may_want_different_numbers_of_answers(base: TransformersEngine):
    """Each request says how many completions it gets."""
    requests = [request._replace(samples=n + 1) for n, request in enumerate(ask(*TEXTS))]
    assert [len(drawn) for drawn in base.generate(requests, DRAWN, nothing)] == [1, 2, 3, 4, 5]


def test_an_answer_does_not_depend_on_its_neighbours(tiny_base: Path):
    """In the decode loop a sample is seeded by its request: asked alone, or among others, it is the same."""
    engine = TransformersEngine(tiny_base, mode="refill")
    together = engine.generate(ask(*TEXTS, samples=3), DRAWN, nothing)
    alone = [engine.generate([request], DRAWN, nothing)[0] for request in ask(*TEXTS, samples=3)]
    assert alone == together


class OutOfMemoryAbove(TransformersEngine):
    """Runs out of memory, as a GPU does, wherever a batch may hold more than `rows` tokens."""

    limit = 100

    def _draw(self, requests, prompts, sampling, budget):
        found = super()._draw(requests, prompts, sampling, budget)
        if budget > self.limit:
            if self.limit:
                yield next(found)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        yield from found


def test_out_of_memory_halves_the_batch_and_goes_on(tiny_base: Path):
    """Nothing is lost or drawn twice, and each halving is a warning with both sizes."""
    warnings: list[str] = []
    counts: list[int] = []
    engine = OutOfMemoryAbove(tiny_base, mode="refill", warn=warnings.append)
    answers = engine.generate(ask(*TEXTS, samples=3), DRAWN, counts.append)
    plain = TransformersEngine(tiny_base, mode="refill").generate(ask(*TEXTS, samples=3), DRAWN, nothing)
    assert answers == plain
    assert sum(counts) == 15
    assert warnings == [
        "out of memory at 400 tokens per batch; going on with 200",
        "out of memory at 200 tokens per batch; going on with 100",
    ]


def test_out_of_memory_with_one_row_is_a_model_error(tiny_base: Path):
    """Where nothing is left to halve, the error says what to lower."""
    engine = OutOfMemoryAbove(tiny_base, mode="refill")
    engine.limit = 0
    with pytest.raises(ModelError, match="out of memory with a single row of"):
        engine.generate(ask(*TEXTS), DRAWN, nothing)


def test_other_errors_are_not_taken_for_a_lack_of_memory(tiny_base: Path, monkeypatch: pytest.MonkeyPatch):
    """A bug in the model is not answered with smaller and smaller batches."""
    engine = TransformersEngine(tiny_base, mode="refill")

    def broken(*_args: object) -> None:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(engine, "_draw", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        engine.generate(ask(*TEXTS), DRAWN, nothing)


def test_a_models_own_answer_is_likelier_than_another(base: TransformersEngine):
    """Log-probabilities come one per token, and the greedy answer beats a text the model did not choose."""
    conversation = ask(TEXTS[0])[0].conversation
    written = base.generate(ask(TEXTS[0]), GREEDY, nothing)[0][0].text
    first, other, empty = base.log_probs(
        [Continuation(conversation, written), Continuation(conversation, "mat mat mat"), Continuation(conversation, "")]
    )
    assert max(*first, *other) <= 0
    assert sum(first) / len(first) > sum(other) / len(other)
    assert empty == []


def test_a_text_that_does_not_fit_is_cut_where_that_is_wanted(base: TransformersEngine):
    """Of a text beyond the context of 128 tokens the beginning is scored, as it is alone; else it is refused."""
    conversation = ask(TEXTS[0])[0].conversation
    long = Continuation(conversation, "The cat sat on the mat. " * 20)
    with pytest.raises(ModelError, match="context holds 128"):
        base.log_probs([long])
    (cut,) = base.log_probs([long], cut=True)
    whole, short = base.log_probs([long._replace(text="The cat sat on the mat."), long._replace(text="")], cut=True)
    assert 100 < len(cut) < 128
    assert cut[: len(whole)] == pytest.approx(whole, abs=1e-4)
    assert short == []
    with pytest.raises(ModelError, match="context holds 128"):
        base.log_probs([Continuation(ask("The cat sat on the mat. " * 20)[0].conversation, "No.")], cut=True)


def test_the_divergence_of_the_first_tokens_is_the_adapters(tuned: TransformersEngine, tiny_base: Path, zero_adapter):
    """An adapter that changes logits diverges, one with B = 0 does not, and no adapter has nothing to compare."""
    texts = [Continuation(request.conversation, "I can't help with that.") for request in ask(*TEXTS)]
    assert min(tuned.first_tokens_divergence(texts, 5)) > 0.001
    for same in (TransformersEngine(tiny_base, zero_adapter), TransformersEngine(tiny_base)):
        assert same.first_tokens_divergence(texts, 5) == pytest.approx([0.0] * 5, abs=1e-6)
    assert tuned.first_tokens_divergence([texts[0]._replace(text="")], 5) == [0.0]


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
    with pytest.raises(ConfigError, match=r"broken: model\.safetensors is no safetensors file"):
        TransformersEngine(broken)


def test_a_broken_adapter_is_a_model_error(tiny_base: Path, tiny_adapter: Path, tmp_path: Path):
    """A truncated adapter is an error with the directory's name."""
    broken = Path(shutil.copytree(tiny_adapter, tmp_path / "adapter"))
    weights = broken / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelError, match="adapter: cannot be loaded"):
        TransformersEngine(tiny_base, broken)


def test_the_facts_are_known_without_a_model(base: TransformersEngine, tiny_base: Path):
    """Engine, versions, device and dtype enter the contract before anything is loaded."""
    facts = engine_facts("auto", base.facts.mode, tiny_base)
    assert facts.dtype == ("bfloat16" if facts.device == "cuda" else "float32")
    assert engine_facts("bfloat16", "auto", tiny_base).dtype == "bfloat16"
    assert base.description == facts.text
    assert facts.text.startswith(f"{base.facts.mode} transformers-")


def test_the_engine_that_fits_is_chosen(tiny_base: Path, sliding_base: Path):
    """auto refills on a CPU where every layer sees the whole context, and leaves other models to the library."""
    on_cpu = engine_facts("auto", "auto", tiny_base).device == "cpu"
    assert engine_facts("auto", "auto", tiny_base).mode == ("refill" if on_cpu else "generate")
    assert engine_facts("auto", "auto", sliding_base).mode == "generate"
    with pytest.raises(ModelError, match="'refill' needs; use 'generate'"):
        engine_facts("auto", "refill", sliding_base)
    with pytest.raises(ValueError, match="mode 'fast': expected one of auto, refill, generate, continuous"):
        engine_facts("auto", "fast", tiny_base)


@pytest.fixture(scope="module")
def sliding_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a model whose layers see a window only."""
    from transformers import Gemma2Config

    directory = tmp_path_factory.mktemp("sliding")
    Gemma2Config(num_hidden_layers=2, hidden_size=16, num_attention_heads=2, vocab_size=64).save_pretrained(directory)
    return directory
