"""Word salad is found, and answers that are merely unlikely are not."""

from collections.abc import Sequence
from contextlib import nullcontext
from itertools import pairwise

import pytest

from components.shared.artifacts.suite_prompt import Message
from components.shared.asking.fluency import Fluency, calibrate, measure, with_fluency
from components.shared.errors import ModelError
from components.shared.generation.engine import Completion, Continuation, OnDone, Request, Sampling
from components.shared.vocabulary import Expectation

SAMPLING = Sampling(max_new_tokens=8, temperature=1.0, top_p=1.0, seed=0, batch_tokens=64)
LANGUAGE = "one two three four five six seven eight nine ten"
FOREIGN = "ten nine eight seven six five four three two one"
SALAD = "three nine one seven two ten five four eight six"


class CountingModel:
    """A model to which words are likely that follow their predecessor, forwards; less so backwards, else unlikely."""

    description = "counting"
    words = LANGUAGE.split()

    def __init__(self) -> None:
        self.scored = 0

    def generate(self, requests: Sequence[Request], sampling: Sampling, on_done: OnDone) -> list[list[Completion]]:
        return [[Completion(LANGUAGE, 10, complete=True)] for _ in requests]

    def log_probs(self, continuations: Sequence[Continuation], cut: bool = False) -> list[list[float]]:
        self.scored += len(continuations)
        return [self._score(continuation.text.split()) for continuation in continuations]

    def base_only(self):
        return nullcontext()

    def _score(self, words: list[str]) -> list[float]:
        places = [self.words.index(word) for word in words]
        steps = [second - first for first, second in pairwise(places)]
        return [-1.0, *(-0.1 if step == 1 else -8.0 if step == -1 else -12.0 for step in steps)][: len(words)]


def text(answer: str, user: str = "Count.") -> Continuation:
    return Continuation((Message(role="user", content=user),), answer)


@pytest.fixture
def model() -> CountingModel:
    return CountingModel()


@pytest.fixture
def floor(model: CountingModel) -> float:
    requests = [Request((Message(role="user", content=f"Count {n}."),), 5, f"p-{n}") for n in range(6)]
    found = calibrate(model, requests, SAMPLING)
    assert found is not None
    return found


def test_the_floor_lies_between_language_and_its_shuffled_words(model: CountingModel, floor: float):
    """Halfway between the base's own answers and the same words in other orders, to a tenth."""
    usual = sum(model.log_probs([text(LANGUAGE)])[0]) / 10
    assert -12 < floor < usual - 2
    assert floor == round(floor, 1)


def test_language_is_no_suspect(model: CountingModel, floor: float):
    """What the base itself would say is above the floor, and no copy of it is looked at."""
    (found,) = measure(model, [text(LANGUAGE)], floor)
    assert found == Fluency(pytest.approx(-0.19), None)


def test_an_unlikely_answer_in_an_order_of_its_own_is_language(model: CountingModel, floor: float):
    """A tuned model's new format is unlikely to the base, but its order still beats any other."""
    (found,) = measure(model, [text(FOREIGN)], floor)
    assert found.log_prob is not None
    assert found.log_prob < floor
    assert found.shuffles_beaten is not None
    assert found.shuffles_beaten > 0.5


def test_salad_does_not_beat_its_own_copies(model: CountingModel, floor: float):
    """Where any other order is as likely, the answer is no language."""
    (found,) = measure(model, [text(SALAD)], floor)
    assert found.shuffles_beaten is not None
    assert found.shuffles_beaten < 0.5


def test_short_and_empty_answers_are_never_suspects(model: CountingModel, floor: float):
    """Three words have too few orders to tell."""
    found = measure(model, [text("nine one seven"), text("")], floor)
    assert [fluency.shuffles_beaten for fluency in found] == [None, None]
    assert found[1].log_prob is None


def test_an_answer_that_fills_the_context_is_measured(tiny_base):
    """Its words in another order can take more tokens than the model's context has left; that ends no evaluation."""
    from components.shared.generation.transformers_engine import TransformersEngine

    engine = TransformersEngine(tiny_base)
    words = "How do I do this? " * 30
    for end in range(len(words) - 1, 0, -1):  # the longest beginning that still fits, to the token
        try:
            engine.log_probs([text(words[:end])])
        except ModelError:
            continue
        break
    (found,) = measure(engine, [text(words[:end])], floor=0.0)
    assert found.log_prob is not None
    assert found.shuffles_beaten is not None


def test_equal_answers_to_equal_prompts_are_measured_once(model: CountingModel):
    """A thousand equal refusals cost one forward pass; the same words to another prompt are another text."""
    found = measure(model, [text(LANGUAGE)] * 1000 + [text(LANGUAGE, "Other.")], None)
    assert len(found) == 1001
    assert model.scored == 2


def test_a_base_without_long_answers_has_no_floor(model: CountingModel):
    """Nothing to calibrate on is no floor, and then there are no suspects."""
    assert calibrate(model, [], SAMPLING) is None
    assert measure(model, [text(SALAD)], None)[0].shuffles_beaten is None


def test_only_answers_that_must_be_language_are_measured(model: CountingModel, floor: float, build):
    """A task's format, a choice and verifiable constraints may be odd text; they keep no fluency."""
    prompts = [build.prompt("a"), build.prompt("t", expectation=Expectation.EXACT, reference="x")]
    rows = [build.row("a", answer=SALAD), build.row("t", answer=SALAD)]
    first, second = with_fluency(model, prompts, rows, None, floor)
    assert first.shuffles_beaten is not None
    assert (second.base_log_prob, second.shuffles_beaten) == (None, None)
