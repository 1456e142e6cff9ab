"""An engine is asked every prompt; who judges the answers comes later."""

from collections.abc import Sequence

import pytest

from components.shared.artifacts.suite_prompt import Message
from components.shared.asking.asking import ask, conversation, refuse_equal_answers, request, sampling_of
from components.shared.config.evaluation import EvaluationConfig
from components.shared.errors import ConfigError
from components.shared.generation.engine import Completion, Continuation, OnDone, Request, Sampling
from components.shared.vocabulary import Expectation

SAMPLING = Sampling(max_new_tokens=8, temperature=1.0, top_p=1.0, seed=0, batch_tokens=64)


class EchoEngine:
    """Answers with the number of the sample and the last user message; the longest text is its likeliest."""

    description = "echo"

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def generate(self, requests: Sequence[Request], sampling: Sampling, on_done: OnDone) -> list[list[Completion]]:
        self.asked += requests
        for asked in requests:
            on_done(asked.samples)
        return [
            [Completion(f"{n} {request.conversation[-1].content}", 4, n % 2 == 0) for n in range(request.samples)]
            for request in requests
        ]

    def log_probs(self, continuations: Sequence[Continuation], cut: bool = False) -> list[list[float]]:
        return [[-1.0 / len(continuation.text)] * 3 if continuation.text else [] for continuation in continuations]


def test_every_prompt_and_sample_is_one_answer(build):
    """Answers come in the order of prompts and samples, each with its own text, and progress is said."""
    said: list[str] = []
    prompts = [build.prompt("a"), build.prompt("b", category="benign", expectation=Expectation.ANSWER, samples=2)]
    answers = ask(EchoEngine(), prompts, 3, SAMPLING, None, said.append)
    assert [(row.prompt_id, row.sample) for row in answers] == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1)]
    assert [row.answer for row in answers[:2]] == ["0 Tell me about a.", "1 Tell me about a."]
    assert [row.category for row in answers[2:4]] == ["direct", "benign"]
    assert (answers[0].complete, answers[1].complete, answers[0].tokens) == (True, False, 4)
    assert said == ["5/5 answers, 0 s"]


def test_a_choice_is_read_from_likelihoods(build):
    """The likeliest option is the one answer, in its prompt's place, and nothing is generated for it."""
    quiz = build.prompt("q", expectation="choice", options=("no", "certainly", "yes"), right_option=2)
    engine = EchoEngine()
    answers = ask(engine, [build.prompt("a"), quiz, build.prompt("b")], 2, SAMPLING, None, print)
    assert [(row.prompt_id, row.sample) for row in answers] == [("a", 0), ("a", 1), ("q", 0), ("b", 0), ("b", 1)]
    assert (answers[2].answer, answers[2].tokens) == ("certainly", 3)
    assert [request.key for request in engine.asked] == ["a", "b"]


def test_a_likelihood_is_measured_and_nothing_is_drawn(build):
    """The reference stands as the answer, with the mean log-probability of its tokens; an empty one has none."""
    task = build.prompt("t", expectation="likelihood", reference="abcd", samples=3)
    empty = build.prompt("e", expectation="likelihood", reference="")
    engine = EchoEngine()
    answers = ask(engine, [task, build.prompt("a"), empty], 1, SAMPLING, None, print)
    assert [(row.prompt_id, row.answer, row.reference_log_prob) for row in answers] == [
        ("t", "abcd", -0.25),
        ("a", "0 Tell me about a.", None),
        ("e", "", None),
    ]
    assert [request.key for request in engine.asked] == ["a"]


def test_no_prompts_are_no_answers():
    """An empty suite asks nothing."""
    assert ask(EchoEngine(), [], 3, SAMPLING, None, print) == []


def test_a_prompts_own_system_prompt_stands_instead_of_the_contracts(build):
    """System prompt, earlier turns and the prompt, in that order; an empty system prompt of its own counts."""
    earlier = (Message(role="user", content="Hi"), Message(role="assistant", content="Hello"))
    prompt = build.prompt("a", system="mine", messages=earlier)
    assert [turn.content for turn in conversation(prompt, "common")] == ["mine", "Hi", "Hello", "Tell me about a."]
    assert [turn.content for turn in conversation(build.prompt("a"), "common")] == ["common", "Tell me about a."]
    assert [turn.role for turn in conversation(build.prompt("a"), None)] == ["user"]
    assert conversation(build.prompt("a", system=""), "common")[0].content == ""


def test_a_request_is_named_by_its_prompt(build):
    """Samples are seeded by the prompt's id, so they are the same in any suite, batch or shard."""
    prompt = build.prompt("a", samples=7)
    assert request(prompt, 5, None) == Request(conversation(prompt, None), 7, "a")


def test_the_contract_decides_how_answers_are_drawn():
    """Sampling takes every field of the config that enters the contract."""
    config = EvaluationConfig(max_new_tokens=9, temperature=0.3, top_p=0.8, seed=4, batch_tokens=7)
    assert sampling_of(config) == Sampling(9, 0.3, 0.8, 4, 7)


def test_several_greedy_answers_are_refused(build):
    """They would be equal; one, or a temperature above 0, is fine."""
    greedy = EvaluationConfig(temperature=0.0, samples_per_prompt=1)
    refuse_equal_answers(greedy, [build.prompt("a"), build.prompt("b", samples=1)])
    refuse_equal_answers(EvaluationConfig(), [build.prompt("a", samples=50)])
    with pytest.raises(ConfigError, match=r"suite 'toy': prompt 'a' asks for 50 answers, but evaluation\.temp"):
        refuse_equal_answers(greedy, [build.prompt("a", samples=50)])
