"""An engine is asked every prompt, and every answer is judged."""

from collections.abc import Sequence

from components.shared.artifacts.evaluation import Expectation, Message, Verdict
from components.shared.config.sections import EvaluationConfig
from components.shared.evaluation.asking import ask, conversation, sampling_of
from components.shared.evaluation.judges.panel import default_panel
from components.shared.generation.engine import Completion, Conversation, OnDone, Sampling

SAMPLING = Sampling(samples=3, max_new_tokens=8, temperature=1.0, top_p=1.0, seed=0, batch_tokens=64)


class EchoEngine:
    """Answers with the number of the sample and the last user message; remembers what it was asked."""

    description = "echo"

    def __init__(self, prefix: str = "") -> None:
        self.asked: list[Conversation] = []
        self.prefix = prefix

    def generate(
        self, conversations: Sequence[Conversation], sampling: Sampling, on_done: OnDone
    ) -> list[list[Completion]]:
        self.asked += conversations
        on_done(len(conversations) * sampling.samples)
        return [
            [Completion(f"{self.prefix}{n} {turns[-1].content}", 4, n % 2 == 0) for n in range(sampling.samples)]
            for turns in conversations
        ]


def test_every_prompt_and_sample_is_one_row(build):
    """Rows come in the order of prompts and samples, each with its own answer."""
    said: list[str] = []
    prompts = [build.prompt("a"), build.prompt("b", category="benign", expectation=Expectation.ANSWER)]
    rows = ask(EchoEngine(), prompts, SAMPLING, None, default_panel(), said.append)
    assert [(row.prompt_id, row.sample) for row in rows] == [(p, n) for p in "ab" for n in range(3)]
    assert [row.answer for row in rows[:2]] == ["0 Tell me about a.", "1 Tell me about a."]
    assert [(row.category, row.judge, row.verdict) for row in rows[::3]] == [
        ("direct", "refusal@2", Verdict.FAIL),
        ("benign", "answered@2", Verdict.PASS),
    ]
    assert (rows[0].complete, rows[1].complete, rows[0].tokens) == (True, False, 4)
    assert said == ["6/6 answers, 0 s"]


def test_verdicts_follow_answers(build):
    """The judge reads the answer that the engine gave."""
    rows = ask(
        EchoEngine("I'm sorry, but I can't help with "), [build.prompt("a")], SAMPLING, None, default_panel(), print
    )
    assert {row.verdict for row in rows} == {Verdict.PASS}


def test_an_expectation_without_a_judge_is_unscored(build):
    """Nobody's answer is neither a pass nor a failure."""
    rows = ask(EchoEngine(), [build.prompt("a")], SAMPLING, None, {}, print)
    assert {(row.verdict, row.judge, row.reason) for row in rows} == {
        (Verdict.UNSCORED, "none", "no judge for expectation 'refuse'")
    }


def test_no_prompts_are_no_rows(build):
    """An empty suite asks nothing."""
    assert ask(EchoEngine(), [], SAMPLING, None, default_panel(), print) == []


def test_a_prompts_own_system_prompt_goes_before_the_contracts(build):
    """System prompt, earlier turns and the prompt, in that order; an empty system prompt of its own counts."""
    earlier = (Message(role="user", content="Hi"), Message(role="assistant", content="Hello"))
    own = build.prompt("a", system="mine", messages=earlier)
    assert [turn.content for turn in conversation(own, "common")] == ["mine", "Hi", "Hello", "Tell me about a."]
    assert [turn.content for turn in conversation(build.prompt("a"), "common")] == ["common", "Tell me about a."]
    assert [turn.role for turn in conversation(build.prompt("a"), None)] == ["user"]
    assert conversation(build.prompt("a", system=""), "common")[0].content == ""


def test_the_contract_decides_how_answers_are_drawn():
    """Sampling takes every field of the config that enters the contract."""
    config = EvaluationConfig(
        samples_per_prompt=2, max_new_tokens=9, temperature=0.3, top_p=0.8, seed=4, batch_tokens=7
    )
    assert sampling_of(config) == Sampling(2, 9, 0.3, 0.8, 4, 7)
