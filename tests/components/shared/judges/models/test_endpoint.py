"""One chat completion over real HTTP, from a server that can be made to fail."""

import email.utils
import logging
import socket
import time

import pytest

from components.shared.errors import ConfigError, ModelError
from components.shared.judges.models.endpoint import ChatEndpoint, Reply

KEY = "sk-tests-9f8e7d6c5b4a"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the SDK waits between tries; none of them passes."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def endpoint(url: str, **changes: object) -> ChatEndpoint:
    fields = {
        "judge": "aligned",
        "url": url,
        "key": KEY,
        "key_env": "JUDGE_KEY",
        "timeout_s": 5.0,
        "retries": 3,
        "say": [].append,
    }
    return ChatEndpoint(**{**fields, **changes})


def after(failures: list, then: object = "Verdict: pass"):
    """Answers with the failures first, one per try."""
    return lambda text, attempt: failures[attempt] if attempt < len(failures) else then


def test_a_chat_is_completed(chat_server):
    """The request is an OpenAI chat completion with a bearer token."""
    reply = endpoint(chat_server.url).complete(BODY)
    assert reply == Reply("Verdict: pass", "stop", "judge-served")
    assert chat_server.requests == [BODY]
    assert chat_server.paths == ["/v1/chat/completions"]
    assert chat_server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_without_a_key_none_is_sent(chat_server, monkeypatch):
    """A local endpoint may need no key, and OPENAI_API_KEY is meant for another one."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-another-endpoint")
    endpoint(chat_server.url, key=None, key_env=None).complete(BODY)
    assert "Authorization" not in chat_server.headers[0]
    assert "sk-for-another-endpoint" not in str(chat_server.headers)


@pytest.mark.parametrize(
    "failure",
    [429, 408, 500, 502, 503, 504, "drop", (200, {}, b"<html>not JSON</html>"), {"error": "none"}, {"choices": []}],
)
def test_what_may_pass_is_tried_again(chat_server, waits, failure):
    """Rate limits, server errors, lost connections and bodies that are no completion are retried."""
    chat_server.answer = after([failure, failure])
    assert endpoint(chat_server.url).complete(BODY).text == "Verdict: pass"
    assert len(chat_server.requests) == 3
    first, second = waits
    assert 0.3 <= first <= 0.5 < second <= 1.0


def test_a_silent_endpoint_is_tried_again(chat_server):
    """A try that hears nothing for timeout_s is given up and repeated."""
    chat_server.answer = after(["hang"])
    began = time.monotonic()
    assert endpoint(chat_server.url, timeout_s=0.2).complete(BODY).text == "Verdict: pass"
    assert 0.2 <= time.monotonic() - began < 30
    assert len(chat_server.requests) == 2


def test_an_endpoint_that_stays_silent_is_named(chat_server):
    """The error says that nothing was heard in time."""
    chat_server.answer = lambda text, attempt: "hang"
    with pytest.raises(ModelError, match="gave no answer, after 1 retries; the last try: ReadTimeout: timed out"):
        endpoint(chat_server.url, timeout_s=0.1, retries=1).complete(BODY)
    assert len(chat_server.requests) == 2


def test_retry_after_is_honoured(chat_server, waits):
    """Seconds and dates are waited for; what is neither is ignored; the failure is told once."""
    date = email.utils.formatdate(time.time() + 60, usegmt=True)
    chat_server.answer = after([(429, {"Retry-After": wait}, "slow down") for wait in ("7", date, "soon")])
    said: list[str] = []
    endpoint(chat_server.url, say=said.append).complete(BODY)
    assert waits[0] == 7
    assert 50 <= waits[1] <= 61
    assert waits[2] <= 2
    assert said == ["judge aligned: the endpoint answers HTTP 429 'slow down'"]


def test_a_very_long_retry_after_ends_at_once(chat_server):
    """A quota that is used up for hours is an error, not a hung step."""
    chat_server.answer = after([(429, {"Retry-After": "7200"}, "quota")])
    with pytest.raises(ModelError, match=r"answers HTTP 429 'quota', .*; run again later \(Retry-After: 7200\)"):
        endpoint(chat_server.url).complete(BODY)
    assert len(chat_server.requests) == 1


def test_retries_end(chat_server):
    """After the last try the error says what the endpoint answered."""
    chat_server.answer = lambda text, attempt: (503, {}, "overloaded")
    expected = r"judge 'aligned': http://.*/v1/chat/completions answers HTTP 503 'overloaded', after up to 3 retries; "
    with pytest.raises(ModelError, match=expected):
        endpoint(chat_server.url).complete(BODY)
    assert len(chat_server.requests) == 4


def test_a_body_that_stays_no_completion_is_quoted(chat_server):
    """A page of a gateway in front of the endpoint is shown, not read as a reply."""
    chat_server.answer = lambda text, attempt: (200, {}, b"<html>Sign in</html>")
    expected = "gave no answer, after 3 retries; .*HTTP 200 '<html>Sign in</html>', which is no chat completion"
    with pytest.raises(ModelError, match=expected):
        endpoint(chat_server.url).complete(BODY)
    assert len(chat_server.requests) == 4


def test_nobody_listening_is_named(waits):
    """A closed port is retried, then one error."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ModelError, match=r"gave no answer, after 3 retries; the last try: ConnectError: .*; check url"):
        endpoint(f"http://127.0.0.1:{port}/v1").complete(BODY)
    assert len(waits) == 3


@pytest.mark.parametrize(
    ("status", "cure"),
    [
        (400, "check url, model and extra"),
        (401, "check the key in JUDGE_KEY"),
        (403, "check the key in JUDGE_KEY"),
        (404, "check url and model"),
        (422, "check url, model and extra"),
        (302, "check url, model and extra"),
    ],
)
def test_a_wrong_request_is_not_repeated(chat_server, status, cure):
    """4xx and redirects are errors at once, with the endpoint's words and a cure."""
    chat_server.answer = lambda text, attempt: (status, {"Location": chat_server.url}, "no such thing")
    with pytest.raises(ModelError, match=f"answers HTTP {status} 'no such thing'; {cure}"):
        endpoint(chat_server.url).complete(BODY)
    assert len(chat_server.requests) == 1


def test_a_missing_key_is_asked_for(chat_server):
    """Where no key is configured, the cure is to name one."""
    chat_server.answer = lambda text, attempt: (401, {}, {"error": {"message": "no key", "code": None}})
    with pytest.raises(ModelError, match=r"HTTP 401 .*no key.*; set api_key_env"):
        endpoint(chat_server.url, key=None, key_env=None).complete(BODY)


def test_a_text_that_the_endpoint_will_not_read_is_a_reply(chat_server):
    """A content filter or a too long text speaks about one answer; it does not end the step."""
    body = {"error": {"code": "content_filter", "message": "filtered"}}
    chat_server.answer = lambda text, attempt: (400, {}, body)
    reply = endpoint(chat_server.url).complete(BODY)
    assert (reply.ended, "filtered" in reply.text) == ("withheld", True)


def test_replies_without_words(chat_server, completed):
    """A refusal field, a missing content and an odd one are replies."""
    asked = endpoint(chat_server.url)
    bodies = [
        completed(None, refusal="I won't judge that."),
        completed(None),
        completed("cut", "length"),
        completed("\ud83d half a pair"),
    ]
    replies = []
    for body in bodies:
        chat_server.answer = lambda text, attempt, body=body: body
        replies.append(asked.complete(BODY)[:2])
    assert replies == [("I won't judge that.", "refusal"), ("", "stop"), ("cut", "length"), ("? half a pair", "stop")]


@pytest.mark.parametrize("failure", [401, 500])
def test_the_key_is_never_shown(chat_server, failure, caplog):
    """An endpoint that echoes the key does not bring it into an error, its causes, a log, a told line or a reply."""
    caplog.set_level(logging.DEBUG)
    chat_server.answer = lambda text, attempt: (failure, {}, f"bad key {KEY} of yours")
    said: list[str] = []
    asked = endpoint(chat_server.url, say=said.append)
    with pytest.raises(ModelError) as caught:
        asked.complete(BODY)
    chat_server.answer = lambda text, attempt: f"your key is {KEY}"
    reply = endpoint(chat_server.url).complete(BODY)
    assert "bad key *** of yours" in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert KEY not in f"{caught.value!r} {said} {reply} {asked!r} {caplog.text}"
    assert "chat/completions" in caplog.text
    assert reply.text == "your key is ***"


def test_an_untrusted_connection_is_named(chat_server):
    """A TLS failure is told as such, and the key is not sent."""
    with pytest.raises(ModelError, match=r"has no trusted connection: .*; check http or https in url"):
        endpoint(chat_server.url.replace("http:", "https:")).complete(BODY)
    assert chat_server.requests == []


def test_a_proxy_of_the_environment_is_used(chat_server, monkeypatch):
    """Clusters that reach the outside through a proxy name it in the environment."""
    monkeypatch.setenv("http_proxy", chat_server.url.removesuffix("/v1"))
    monkeypatch.setenv("no_proxy", "localhost")
    assert endpoint("http://judge.invalid/v1").complete(BODY).text == "Verdict: pass"
    assert chat_server.paths == ["http://judge.invalid/v1/chat/completions"]


@pytest.mark.parametrize("proxy", ["ftp://me:secret@proxy", "socks5://me:secret@proxy:1", "http://me:secret@proxy:x"])
def test_a_wrong_proxy_is_named(monkeypatch, proxy):
    """A proxy that cannot be used is an error with a cure, without its password."""
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(
        ConfigError, match=r"judge 'aligned': the proxy of the environment .*; check http_proxy"
    ) as caught:
        endpoint("http://judge.invalid/v1")
    assert "secret" not in str(caught.value)


def test_a_stopped_endpoint_asks_no_more(chat_server):
    """After another request failed, neither a first try nor a retry is sent."""
    asked = endpoint(chat_server.url)

    def fail_and_stop(text: str, attempt: int) -> int:
        asked.stop()
        return 503

    chat_server.answer = fail_and_stop
    for _ in range(2):
        with pytest.raises(ModelError, match="was not asked again, because another request failed"):
            asked.complete(BODY)
    assert len(chat_server.requests) == 1
