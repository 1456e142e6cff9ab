"""One chat completion from an OpenAI-compatible endpoint, with retries.

The key is sent in one header and appears nowhere else: redirects are not followed, and text of the endpoint is
searched for it before it is shown or kept. This module does not know what is asked or how a reply is read.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from components.shared.errors import ModelError
from components.shared.progress import Say

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_WITHHELD = ("content_filter", "content_policy", "context_length", "ResponsibleAIPolicyViolation")
"""Codes of a 400 that speaks about this one text, not about how we ask."""

_FIRST_WAIT_S = 1.0
_LONGEST_BACKOFF_S = 30.0
_LONGEST_WAIT_S = 600.0
"""A Retry-After above this ends the run: its replies are kept, so it can go on later."""

_TOLD_S = 5.0
_SILENCE_S = 10.0
"""Waits of `_TOLD_S` and more are told, at most one every `_SILENCE_S`."""

_QUOTED = 300
"""Characters of an error that are shown."""


class Reply(NamedTuple):
    """What the endpoint made of one request.

    Attributes:
        text: the message, or why there is none.
        ended: how it ended: `stop`, `length`, `content_filter`, `refusal`, or `withheld` for a request that the
            endpoint would not read.
        served: the model that the endpoint says it asked.
    """

    text: str
    ended: str
    served: str = ""


class Endpoint(Protocol):
    """Completes chats; may be called from several threads."""

    def complete(self, body: Mapping[str, object]) -> Reply:
        """The reply to one request body.

        Raises:
            ModelError: the endpoint does not answer, or not to this request.
        """

    def stop(self) -> None:
        """Ends waiting calls: they raise."""


class _Failure(NamedTuple):
    """A try that may be repeated."""

    reason: str
    wait_s: float | None = None


class ChatEndpoint:
    """See `Endpoint`.

    Args:
        judge: the judge's name, for errors.
        url: base URL; `/chat/completions` is added.
        key: sent as a bearer token; None for none.
        key_env: where the key came from, for errors.
        timeout_s: longest silence of one try, seconds.
        retries: tries after the first.
        connections: kept open at most.
        say: where long waits are told.
        pause: waits so many seconds and says whether to give up; replaced in tests.
    """

    def __init__(
        self,
        judge: str,
        url: str,
        key: str | None,
        key_env: str | None,
        timeout_s: float,
        retries: int,
        connections: int,
        say: Say,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self._judge, self._key, self._key_env, self._retries = judge, key, key_env, retries
        self._url = f"{url}/chat/completions"
        self._say, self._said = say, -_SILENCE_S
        self._stopped = threading.Event()
        self._pause = self._stopped.wait if pause is None else pause
        self._timeout = urllib3.Timeout(connect=min(timeout_s, 10.0), read=timeout_s)
        self._pool = _pool(self._url, connections)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.clear()

    def stop(self) -> None:
        """See `Endpoint.stop`."""
        self._stopped.set()

    def complete(self, body: Mapping[str, object]) -> Reply:
        """See `Endpoint.complete`."""
        content = json.dumps(body).encode()
        for attempt in range(self._retries + 1):
            if self._stopped.is_set():
                break
            outcome = self._try(content)
            if isinstance(outcome, Reply):
                return outcome
            if attempt == self._retries:
                raise self._error(f"gave no answer in {attempt + 1} tries; the last: {outcome.reason}")
            if outcome.wait_s is not None and outcome.wait_s > _LONGEST_WAIT_S:
                raise self._error(f"asks to wait {outcome.wait_s:.0f} s ({outcome.reason}); run again then")
            seconds = _wait(attempt, outcome.wait_s)
            self._tell(seconds, outcome.reason)
            if self._pause(seconds):
                break
        raise self._error("was not asked again, because another request failed")

    def _try(self, content: bytes) -> Reply | _Failure:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            response = self._pool.request(
                "POST", self._url, body=content, headers=headers, timeout=self._timeout, retries=False, redirect=False
            )
        except urllib3.exceptions.SSLError as error:
            raise self._error(f"has no trusted connection: {error}") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return _Failure(self._shown(f"{type(error).__name__}: {error}"))
        text = response.data.decode("utf-8", errors="replace")
        if response.status in _RETRIED:
            return _Failure(f"HTTP {response.status} {self._shown(text)}", _retry_after(response.headers))
        if response.status == 400 and any(code in text for code in _WITHHELD):
            return Reply(self._hidden(text), "withheld")
        if response.status != 200:
            cures = {401: self._key_cure(), 403: self._key_cure(), 404: "check url and model"}
            cure = cures.get(response.status, "check url, model and extra")
            raise self._error(f"answers HTTP {response.status} {self._shown(text)}; {cure}")
        reply = _read(text)
        if reply is None:
            return _Failure(f"HTTP 200 with {self._shown(text)}, which is no chat completion")
        return reply._replace(text=self._hidden(reply.text))

    def _tell(self, seconds: float, reason: str) -> None:
        now = time.monotonic()
        if seconds >= _TOLD_S and now - self._said >= _SILENCE_S:
            self._said = now
            self._say(f"judge {self._judge} waits {seconds:.0f} s: {reason}")

    def _key_cure(self) -> str:
        return f"check the key in {self._key_env}" if self._key_env else "set api_key_env"

    def _error(self, what: str) -> ModelError:
        return ModelError(f"judge {self._judge!r}: {self._url} {what}")

    def _shown(self, text: str) -> str:
        hidden = self._hidden(text)
        return repr(hidden if len(hidden) <= _QUOTED else f"{hidden[:_QUOTED]}...")

    def _hidden(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _pool(url: str, connections: int) -> urllib3.PoolManager:
    """A pool that goes through the proxy which the environment names for this host, if any."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy is None or proxy_bypass(parts.hostname or ""):
        return urllib3.PoolManager(maxsize=connections)
    return urllib3.ProxyManager(proxy, maxsize=connections)


def _wait(attempt: int, asked_s: float | None) -> float:
    """Seconds until the next try: what the endpoint asks for, or doubling; both spread so that tries do not collide."""
    if asked_s is not None:
        return asked_s * random.uniform(1.0, 1.1)
    return float(min(_FIRST_WAIT_S * 2**attempt, _LONGEST_BACKOFF_S)) * random.uniform(0.5, 1.0)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        return float(urllib3.Retry(retry_after_max=86_400).parse_retry_after(value))
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None


def _read(text: str) -> Reply | None:
    """The reply in a body; None where the body is no chat completion."""
    try:
        completion: Any = json.loads(text)
        choice = completion["choices"][0]
        message, ended = choice["message"], str(choice.get("finish_reason") or "stop")
        served = str(completion.get("model") or "")
        if isinstance(refusal := message.get("refusal"), str) and refusal:
            return Reply(_whole(refusal), "refusal", served)
        content = message.get("content")
        return Reply(_whole(content) if isinstance(content, str) else "", ended, served)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return None


def _whole(text: str) -> str:
    """The text without halves of surrogate pairs, which no file can hold."""
    return text.encode("utf-8", "replace").decode()
