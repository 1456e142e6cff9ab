"""One chat completion over real HTTP, from a server that can be made to fail."""

import email.utils
import socket
import time

import pytest

from components.shared.errors import ModelError
from components.shared.judges.models.endpoint import ChatEndpoint, Reply

KEY = "sk-tests-9f8e7d6c5b4a"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


class Waits(list):
    """Records the seconds it is asked to wait, and waits none of them."""

    def __call__(self, seconds: float) -> bool:
        self.append(seconds)
        return False


def endpoint(url: str, waits: Waits | None = None, **changes: object) -> ChatEndpoint:
    fields = {
        "judge": "aligned",
        "url": url,
        "key": KEY,
        "key_env": "JUDGE_KEY",
        "timeout_s": 5.0,
        "retries": 3,
        "connections": 2,
        "say": [].append,
        "pause": Waits() if waits is None else waits,
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


def test_without_a_key_none_is_sent(chat_server):
    """An endpoint of one's own may need no key."""
    endpoint(chat_server.url, key=None, key_env=None).complete(BODY)
    assert "Authorization" not in chat_server.headers[0]


@pytest.mark.parametrize(
    "failure",
    [429, 408, 500, 502, 503, 504, "drop", (200, {}, b"<html>not JSON</html>"), {"error": "none"}, {"choices": []}],
)
def test_what_may_pass_is_tried_again(chat_server, failure):
    """Rate limits, server errors, lost connections and bodies that are no completion are retried."""
    chat_server.answer = after([failure, failure])
    waits = Waits()
    assert endpoint(chat_server.url, waits).complete(BODY).text == "Verdict: pass"
    assert len(chat_server.requests) == 3
    assert 0.5 <= waits[0] <= 1.0 <= waits[1] <= 2.0


def test_a_silent_endpoint_is_tried_again(chat_server):
    """A try that hears nothing for timeout_s is given up and repeated."""
    chat_server.answer = after(["hang"])
    began = time.monotonic()
    assert endpoint(chat_server.url, timeout_s=0.2).complete(BODY).text == "Verdict: pass"
    assert 0.2 <= time.monotonic() - began < 30
    assert len(chat_server.requests) == 2


def test_retry_after_is_honoured(chat_server):
    """Seconds and dates are waited for, and a little more; what is neither is ignored."""
    date = email.utils.formatdate(time.time() + 60, usegmt=True)
    chat_server.answer = after([(429, {"Retry-After": own}, "slow down") for own in ("7", date, "soon")])
    waits, said = Waits(), []
    endpoint(chat_server.url, waits, say=said.append).complete(BODY)
    assert 7 <= waits[0] <= 7.7
    assert 57 <= waits[1] <= 67
    assert waits[2] <= 4
    assert said == [f"judge aligned waits {waits[0]:.0f} s: HTTP 429 'slow down'"]


def test_a_very_long_retry_after_ends_at_once(chat_server):
    """A quota that is used up for hours is an error, not a hung step."""
    chat_server.answer = after([(429, {"Retry-After": "7200"}, "quota")])
    with pytest.raises(ModelError, match=r"asks to wait 7200 s \(HTTP 429 'quota'\); run again then"):
        endpoint(chat_server.url).complete(BODY)
    assert len(chat_server.requests) == 1


def test_retries_end(chat_server):
    """After the last try the error says how many there were and what the last one was."""
    chat_server.answer = lambda text, attempt: (503, {}, "overloaded")
    expected = r"judge 'aligned': http://.*/v1/chat/completions gave no answer in 4 tries; the last: HTTP 503 'over"
    with pytest.raises(ModelError, match=expected):
        endpoint(chat_server.url).complete(BODY)
    assert len(chat_server.requests) == 4


def test_nobody_listening_is_named():
    """A closed port is retried, then one error."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    waits = Waits()
    with pytest.raises(ModelError, match="gave no answer in 4 tries; the last: .*NewConnectionError"):  # noqa: RUF043
        endpoint(f"http://127.0.0.1:{port}/v1", waits).complete(BODY)
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


def test_a_text_that_the_endpoint_will_not_read_is_a_reply(chat_server):
    """A content filter or a too long text speaks about one answer; it does not end the step."""
    body = {"error": {"code": "content_filter", "message": "filtered"}}
    chat_server.answer = lambda text, attempt: (400, {}, body)
    reply = endpoint(chat_server.url).complete(BODY)
    assert (reply.ended, "filtered" in reply.text) == ("withheld", True)


def test_replies_without_words(chat_server, completed):
    """A refusal field, a missing content and an odd one are replies."""
    own = endpoint(chat_server.url)
    bodies = [
        completed(None, refusal="I won't judge that."),
        completed(None),
        completed("cut", "length"),
        completed("\ud83d half a pair"),
    ]
    found = []
    for body in bodies:
        chat_server.answer = lambda text, attempt, body=body: body
        found.append(own.complete(BODY)[:2])
    assert found == [("I won't judge that.", "refusal"), ("", "stop"), ("cut", "length"), ("? half a pair", "stop")]


@pytest.mark.parametrize("failure", [401, 500])
def test_the_key_is_never_shown(chat_server, failure):
    """An endpoint that echoes the key does not bring it into an error or a reply."""
    chat_server.answer = lambda text, attempt: (failure, {}, f"bad key {KEY} of yours")
    said: list[str] = []
    with pytest.raises(ModelError) as caught:
        endpoint(chat_server.url, say=said.append).complete(BODY)
    chat_server.answer = lambda text, attempt: f"your key is {KEY}"
    reply = endpoint(chat_server.url).complete(BODY)
    assert "bad key *** of yours" in str(caught.value)
    assert KEY not in f"{caught.value!r} {said} {reply}"
    assert reply.text == "your key is ***"


def test_an_untrusted_connection_is_not_repeated(chat_server):
    """A TLS failure will not pass by itself, and the key is not sent."""
    with pytest.raises(ModelError, match="has no trusted connection: "):
        endpoint(chat_server.url.replace("http:", "https:")).complete(BODY)
    assert chat_server.requests == []


def test_a_proxy_of_the_environment_is_used(chat_server, monkeypatch):
    """Clusters that reach the outside through a proxy name it in the environment."""
    monkeypatch.setenv("http_proxy", chat_server.url.removesuffix("/v1"))
    monkeypatch.setenv("no_proxy", "localhost")
    assert endpoint("http://judge.invalid/v1").complete(BODY).text == "Verdict: pass"
    assert chat_server.paths == ["http://judge.invalid/v1/chat/completions"]


def test_stopping_ends_waiting():
    """A stopped endpoint neither waits nor asks again."""
    own = endpoint("http://127.0.0.1:9/v1", pause=None)
    own.stop()
    with pytest.raises(ModelError, match="was not asked again, because another request failed"):
        own.complete(BODY)
