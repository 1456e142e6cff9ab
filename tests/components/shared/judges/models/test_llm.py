"""A judge behind a real HTTP server: one reply per exchange, kept, bounded, and never a guess."""

import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.judges import LlmConfig, ScoreScale
from components.shared.errors import ConfigError, IntegrityError, ModelError
from components.shared.judges.judge import Exchange
from components.shared.judges.models.endpoint import ChatEndpoint, Reply
from components.shared.judges.models.llm import LlmJudge
from components.shared.judges.models.replies import ReplyCache
from components.shared.vocabulary import Expectation, Verdict

KEY = "sk-tests-9f8e7d6c5b4a"
PARSE = r"(?is)(.*\bverdict:)?\s*(?P<label>pass|fail)"


def config(**changes: object) -> LlmConfig:
    fields = {
        "kind": "llm",
        "name": "aligned",
        "expectations": ("aligned",),
        "url": "http://judge.invalid/v1",
        "model": "judge-1",
        "template": "Asked: {{ prompt }}\nAnswered: {{ answer }}",
        "parse": PARSE,
        "labels": {"pass": "pass", "fail": "fail"},
    }
    return LlmConfig(**{**fields, **changes})


def judge(url: str, cache: Path | None, said: list[str] | None = None, retries: int = 2, **changes: object) -> LlmJudge:
    section = config(url=url, **changes)
    say = (said if said is not None else []).append
    connect = partial(
        ChatEndpoint,
        judge=section.name,
        url=section.url,
        key=KEY,
        key_env="JUDGE_KEY",
        timeout_s=section.timeout_s,
        retries=retries,
        say=say,
    )
    return LlmJudge(section, connect, ReplyCache(None if cache is None else str(cache)), say)


def by_answer(text: str, attempt: int) -> str:
    return "Verdict: fail" if "vile" in text else "Verdict: pass"


KILLED = """
import sys
from components.shared.config.judges import LlmConfig
from components.shared.vocabulary import Expectation
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.judge import Exchange
from components.shared.judges.models.model_judges import build_judge
prompt = SuitePrompt(id="p", category="c", prompt="how?", expectation=Expectation.ALIGNED, source="tests")
config = LlmConfig(kind="llm", name="aligned", expectations=("aligned",), url=sys.argv[1], model="judge-1",
    template="Asked: {{ prompt }}\\nAnswered: {{ answer }}", parse=".*(?P<label>pass|fail)",
    labels={"pass": "pass", "fail": "fail"}, concurrency=1)
build_judge(config, sys.argv[2], print).judge([Exchange(prompt, f"answer {n}") for n in range(200)])
"""


def asked_when_killed() -> list[Exchange]:
    prompt = SuitePrompt(id="p", category="c", prompt="how?", expectation=Expectation.ALIGNED, source="tests")
    return [Exchange(prompt, f"answer {n}") for n in range(200)]


@pytest.fixture
def many(exchange) -> list[Exchange]:
    return [exchange(f"answer {n}{' vile' if n % 3 == 0 else ''}") for n in range(40)]


def expected(many: list[Exchange]) -> list[Verdict]:
    return [Verdict.FAIL if "vile" in exchange.answer else Verdict.PASS for exchange in many]


def test_each_exchange_gets_its_verdict_in_order(chat_server, many, tmp_path):
    """Replies that arrive in any order are put in the order of the exchanges."""
    chat_server.answer = by_answer
    said: list[str] = []
    judged = judge(chat_server.url, tmp_path, said).judge(many)
    assert [judgement.verdict for judgement in judged] == expected(many)
    assert judged[0].reason == "the judge says 'Verdict: fail'"
    assert said[-1].startswith("40/40 replies of aligned, ")


def test_the_request_is_the_config(chat_server, exchange):
    """Model, messages and sampling are sent; what is null is left out."""
    chat_server.answer = by_answer
    asked = exchange("calm", "how?")
    judge(chat_server.url, None, system="You judge.", max_new_tokens=None, extra={"top_k": 1}).judge([asked])
    assert chat_server.requests == [
        {
            "model": "judge-1",
            "messages": [
                {"role": "system", "content": "You judge."},
                {"role": "user", "content": "Asked: how?\nAnswered: calm"},
            ],
            "temperature": 0.0,
            "seed": 0,
            "top_k": 1,
        }
    ]


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_requests_at_once_than_allowed(chat_server, many, limit):
    """The server never sees more than `concurrency` requests under way, and does see that many."""
    chat_server.answer, chat_server.delay_s = by_answer, 0.02
    judge(chat_server.url, None, concurrency=limit).judge(many[:20])
    assert chat_server.most_in_flight == limit


def test_equal_exchanges_are_asked_once(chat_server, exchange):
    """Samples that say the same cost one request."""
    chat_server.answer = by_answer
    judged = judge(chat_server.url, None).judge([exchange("calm"), exchange("vile"), exchange("calm")])
    assert [judgement.verdict.value for judgement in judged] == ["pass", "fail", "pass"]
    assert len(chat_server.requests) == 2


def test_a_second_run_asks_nothing(chat_server, many, tmp_path):
    """Kept replies are used again, also at another address of the same model and with other verdicts for labels."""
    chat_server.answer = by_answer
    first = judge(chat_server.url, tmp_path).judge(many)
    asked = len(chat_server.requests)
    again = judge(chat_server.url, tmp_path).judge(many)
    elsewhere = judge("http://127.0.0.1:9/v1", tmp_path, labels={"pass": "pass", "fail": "partial"}).judge(many)
    assert again == first
    assert [judgement.verdict is Verdict.PARTIAL for judgement in elsewhere] == [
        judgement is Verdict.FAIL for judgement in expected(many)
    ]
    assert len(chat_server.requests) == asked == 40


@pytest.mark.parametrize(
    "change", [{"model": "judge-2"}, {"template": "{{ answer }}"}, {"temperature": 0.5}, {"seed": 1}, {"system": "x"}]
)
def test_another_request_is_another_reply(chat_server, exchange, tmp_path, change):
    """Kept replies are not used for another model, template or sampling."""
    judge(chat_server.url, tmp_path).judge([exchange("calm")])
    judge(chat_server.url, tmp_path, **change).judge([exchange("calm")])
    assert len(chat_server.requests) == 2


def test_a_run_that_broke_off_goes_on(chat_server, many, tmp_path):
    """An endpoint that goes down ends the run with one error; the next run asks only for what is missing."""
    chat_server.answer = lambda text, attempt: by_answer(text, 0) if len(chat_server.requests) <= 25 else 503
    with pytest.raises(ModelError, match="answers HTTP 503 'status 503', after up to 0 retries") as caught:
        judge(chat_server.url, tmp_path, retries=0, concurrency=2).judge(many)
    kept = len(list(tmp_path.rglob("*.json")))
    assert kept in (24, 25)  # two ask at once: the 26th request may come in before the 25th is answered
    assert caught.value.__notes__ == [f"the replies so far are kept in {tmp_path}; run again to go on"]
    assert len(chat_server.requests) <= 25 + 3
    chat_server.requests.clear()
    chat_server.answer = by_answer
    assert [judgement.verdict for judgement in judge(chat_server.url, tmp_path).judge(many)] == expected(many)
    assert len(chat_server.requests) == 40 - kept


def test_a_process_that_was_killed_goes_on(chat_server, root, tmp_path):
    """Each reply is on disk as soon as it is there: what a killed process had is used by the next."""
    chat_server.answer, chat_server.delay_s = by_answer, 0.05
    command = [sys.executable, "-c", KILLED, chat_server.url, str(tmp_path)]
    process = subprocess.Popen(command, cwd=root)
    while len(chat_server.requests) < 6:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = len(list(tmp_path.rglob("*.json")))
    assert 5 <= kept < 200
    chat_server.requests.clear()
    chat_server.delay_s = 0.0
    assert {judgement.verdict for judgement in judge(chat_server.url, tmp_path).judge(asked_when_killed())} == {
        Verdict.PASS
    }
    assert len(chat_server.requests) == 200 - kept


def test_a_changed_kept_reply_is_refused(chat_server, exchange, tmp_path):
    """Verdicts cannot be edited into the cache."""
    judge(chat_server.url, tmp_path).judge([exchange("vile")])
    (path,) = tmp_path.rglob("*.json")
    path.write_text(path.read_text().replace("pass", "fail"))
    with pytest.raises(IntegrityError, match="damaged or was changed"):
        judge(chat_server.url, tmp_path).judge([exchange("vile")])


def test_what_cannot_be_read_is_unscored(chat_server, exchange, completed):
    """A refusing judge, nonsense, a filter, a cut and a withheld request are unscored, quoted, and in their place."""
    answers = {
        "good": "Verdict: pass",
        "polite": "I'm sorry, but I can't help with judging that.",
        "formal": completed(None, refusal="I won't."),
        "filtered": completed("Verdict: pass", "content_filter"),
        "cut": completed("Let me think", "length"),
        "long": (400, {}, {"error": {"code": "context_length_exceeded"}}),
        "empty": completed(None),
        "bad": "Verdict: fail",
    }
    chat_server.answer = lambda text, attempt: answers[text.rpartition(" ")[2]]
    judged = judge(chat_server.url, None).judge([exchange(answer) for answer in answers])
    assert [judgement.verdict.value for judgement in judged] == ["pass", *["unscored"] * 6, "fail"]
    assert [judgement.reason for judgement in judged[1:7]] == [
        "the judge's reply does not match `parse`: \"I'm sorry, but I can't help with judging that.\"",
        "the judge's reply is a refusal: \"I won't.\"",
        "the judge's reply was held back by the endpoint's content filter: 'Verdict: pass'",
        "the judge's reply was cut at max_new_tokens: 'Let me think'",
        (
            "the judge's reply is missing, because the endpoint would not read the request: "
            '\'{"error": {"code": "context_length_exceeded"}}\''
        ),
        "the judge's reply does not match `parse`: ''",
    ]


def test_a_request_that_was_withheld_is_asked_again(chat_server, exchange, tmp_path):
    """Only replies are kept; what an endpoint would not read may be read by another."""
    chat_server.answer = lambda text, attempt: (400, {}, {"error": {"code": "content_filter"}})
    assert judge(chat_server.url, tmp_path).judge([exchange("x")])[0].verdict is Verdict.UNSCORED
    chat_server.answer = by_answer
    assert judge(chat_server.url, tmp_path).judge([exchange("x")])[0].verdict is Verdict.PASS


def test_scores_have_thresholds(chat_server, exchange):
    """A number is judged by the scale, and kept as the score."""
    chat_server.answer = lambda text, attempt: text.rpartition(" ")[2]
    scorer = judge(
        chat_server.url,
        None,
        labels=None,
        parse=r"(?P<score>\d+)",
        scale=ScoreScale(fail_below=30, partial_below=60),
    )
    judged = scorer.judge([exchange(text) for text in ("12", "45", "99", "500")])
    assert [(one.verdict.value, one.score) for one in judged] == [
        ("fail", 12.0),
        ("partial", 45.0),
        ("pass", 99.0),
        ("unscored", None),
    ]


def test_the_key_is_nowhere_but_in_its_header(chat_server, many, tmp_path):
    """Errors, kept replies, verdicts and versions are free of the key, even where the endpoint echoes it."""
    chat_server.answer = lambda text, attempt: f"key {KEY}" if "answer 1" in text else (401, {}, f"bad {KEY}")
    asker = judge(chat_server.url, tmp_path, concurrency=1)
    judged = asker.judge([many[1], many[10]])
    with pytest.raises(ModelError) as caught:
        asker.judge(many)
    kept = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "key ***" in kept
    assert KEY not in f"{kept} {judged} {caught.value!r} {caught.value.__notes__} {asker.version}"
    assert {headers["Authorization"] for headers in chat_server.headers} == {f"Bearer {KEY}"}


def test_the_version_covers_what_decides():
    """Model, template, reading and sampling change the version; address, key, patience and name do not."""
    version = judge("http://a.invalid/v1", None).version
    same = [
        judge("https://b.invalid/v2", None, name="other", timeout_s=1.0, concurrency=2, api_key_env="A_KEY"),
        judge("http://a.invalid/v1", None, role="verdict", expectations=("refuse",)),
    ]
    changes = [
        {"model": "judge-2"},
        {"template": "{{ answer }}"},
        {"system": "x"},
        {"parse": r"(?P<label>pass|fail)"},
        {"labels": {"pass": "pass", "fail": "partial"}},
        {"parse": r"(?P<score>\d)", "labels": None, "scale": ScoreScale(fail_below=3)},
        {"temperature": 1.0},
        {"seed": None},
        {"max_new_tokens": 3},
        {"extra": {"top_k": 1}},
    ]
    others = {judge("http://a.invalid/v1", None, **change).version for change in changes}
    assert {one.version for one in same} == {version}
    assert len(others | {version}) == len(changes) + 1


def test_a_template_that_asks_for_what_is_not_there_is_named(exchange):
    """A template fails on the prompt that lacks what it uses, before anything is asked."""
    asker = judge("http://a.invalid/v1", None, template="{{ caveats[3] }} {{ answer }}")
    with pytest.raises(ConfigError, match="judge 'aligned': template: prompt 'p-1': "):
        asker.judge([exchange("x")])


class Scripted:
    """An endpoint that answers with the text after the answer's number."""

    def __init__(self, replies: list[Reply]) -> None:
        self._replies = replies

    def complete(self, body: Mapping[str, object]) -> Reply:
        return self._replies[int(str(body["messages"][-1]["content"]).rpartition(" ")[2])]

    def stop(self) -> None:
        pass


@given(st.lists(st.tuples(st.sampled_from(["pass", "Verdict: fail", "", "I cannot"]) | st.text(), st.sampled_from(
    ["stop", "length", "content_filter", "refusal", "withheld"]
))))  # fmt: skip
def test_there_is_one_judgement_per_exchange_in_order(exchange, replies):
    """Whatever the replies are, each exchange gets the judgement of its own reply, and none is lost."""
    scripted = Scripted([Reply(*reply) for reply in replies])
    asker = LlmJudge(config(), lambda: nullcontext(scripted), ReplyCache(None), lambda text: None)
    judged = asker.judge([exchange(f"answer {n}") for n in range(len(replies))])
    ordinary = {"pass": Verdict.PASS, "Verdict: fail": Verdict.FAIL, "": Verdict.UNSCORED, "I cannot": Verdict.UNSCORED}
    known = [
        ordinary.get(text, one.verdict) if ended in ("stop", "length") else Verdict.UNSCORED
        for (text, ended), one in zip(replies, judged, strict=True)
    ]
    assert [one.verdict for one in judged] == known
