"""One chat completion from an OpenAI-compatible endpoint, through the `openai` SDK, which repeats failed tries.

The key is sent in one header and appears nowhere else: redirects are not followed, text of the endpoint is searched
for it before it is shown or kept, and no error of the SDK, which holds the request, is passed on.
"""

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from components.shared.errors import ConfigError, ModelError
from components.shared.judges.models.parsing import quoted
from components.shared.progress import Say

if TYPE_CHECKING:
    import httpx2

_WITHHELD = ("content_filter", "content_policy", "context_length", "ResponsibleAIPolicyViolation")
"""Codes of a 400 that speaks about this one text, not about how we ask."""

_CONNECT_S = 10.0
"""Longest wait for a connection, seconds."""

_SILENCE_S = 10.0
"""Failed tries are told at most once in so many seconds."""


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
        """Sends no request any more: calls that would send one raise."""


class ChatEndpoint:
    """See `Endpoint`.

    Args:
        judge: the judge's name, for errors.
        url: base URL; `/chat/completions` is added.
        key: sent as a bearer token; None for none.
        key_env: where the key came from, for errors.
        timeout_s: longest silence of one try, seconds.
        retries: tries after the first; the SDK waits 0.5 s, then double up to 8 s, or what Retry-After asks for.
        say: where failed tries are told.

    Raises:
        ConfigError: the environment names a proxy that cannot be used.
    """

    def __init__(
        self, judge: str, url: str, key: str | None, key_env: str | None, timeout_s: float, retries: int, say: Say
    ) -> None:
        import httpx2
        import openai

        self._judge, self._key, self._key_env, self._retries = judge, key, key_env, retries
        self._url = f"{url}/chat/completions"
        self._say, self._said = say, -_SILENCE_S
        self._stopped = threading.Event()
        self._headers = {} if key else {"Authorization": openai.omit}
        hooks: dict[str, list[Any]] = {"request": [self._before_try], "response": [self._after_try]}
        try:
            http_client = openai.DefaultHttpxClient(follow_redirects=False, event_hooks=hooks)
        except (ValueError, ImportError, httpx2.InvalidURL) as error:
            raise ConfigError(
                f"judge {judge!r}: the proxy of the environment cannot be used: {error}; check http_proxy, https_proxy "
                "and all_proxy"
            ) from None
        self._client = openai.OpenAI(
            base_url=url,
            api_key=key or "none",  # for None, the SDK would send OPENAI_API_KEY to whoever listens at the URL
            max_retries=retries,
            timeout=openai.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S)),
            http_client=http_client,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def stop(self) -> None:
        """See `Endpoint.stop`."""
        self._stopped.set()

    def complete(self, body: Mapping[str, object]) -> Reply:
        """See `Endpoint.complete`."""
        import openai

        fields: dict[str, Any] = dict(body)
        try:
            response = self._client.chat.completions.with_raw_response.create(
                model=fields.pop("model"),
                messages=fields.pop("messages"),
                extra_body=fields,
                extra_headers=self._headers,
            )
            reply = _read(response.text)
            return reply._replace(text=self._hidden(reply.text))
        except openai.APIStatusError as error:
            if error.status_code == 400 and any(code in error.response.text for code in _WITHHELD):
                return Reply(self._hidden(error.response.text), "withheld")
            failure = self._refused(error.response)
        except openai.APIConnectionError as error:
            failure = self._unreached(error)
        raise failure  # here, so that it does not hold the SDK's error, whose request has the key

    def _before_try(self, _request: "httpx2.Request") -> None:
        if self._stopped.is_set():
            raise self._error("was not asked again, because another request failed")

    def _after_try(self, response: "httpx2.Response") -> None:
        """Tells of a failed try, and makes the SDK repeat one whose body is no chat completion."""
        import httpx2

        response.read()
        if _may_pass(response.status_code) and time.monotonic() - self._said >= _SILENCE_S:
            self._said = time.monotonic()
            self._say(f"judge {self._judge}: the endpoint answers {self._status(response)}")
        if response.is_success:
            try:
                _read(response.text)
            except ValueError:
                what = f"{self._status(response)}, which is no chat completion"
                raise httpx2.RemoteProtocolError(what) from None

    def _refused(self, response: "httpx2.Response") -> ModelError:
        status = response.status_code
        if _may_pass(status):
            wait = response.headers.get("Retry-After")
            cure = f"run again later{f' (Retry-After: {wait})' if wait else ''}"
            return self._error(f"answers {self._status(response)}, after up to {self._retries} retries; {cure}")
        key_cure = f"check the key in {self._key_env}" if self._key_env else "set api_key_env"
        cures = {401: key_cure, 403: key_cure, 404: "check url and model"}
        return self._error(f"answers {self._status(response)}; {cures.get(status, 'check url, model and extra')}")

    def _unreached(self, error: Exception) -> ModelError:
        causes = [*_causes(error), error]
        for cause in causes:
            if isinstance(cause, ssl.SSLError):
                return self._error(
                    f"has no trusted connection: {self._hidden(str(cause))}; check http or https in url, and the "
                    "endpoint's certificate"
                )
        reason = self._hidden(f"{type(causes[0]).__name__}: {causes[0]}")
        return self._error(f"gave no answer, after {self._retries} retries; the last try: {reason}; check url")

    def _error(self, what: str) -> ModelError:
        return ModelError(f"judge {self._judge!r}: {self._url} {what}")

    def _status(self, response: "httpx2.Response") -> str:
        return f"HTTP {response.status_code} {quoted(self._hidden(response.text))}"

    def _hidden(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _may_pass(status: int) -> bool:
    """Whether the SDK tries again after this status."""
    return status in (408, 409, 429) or status >= 500


def _causes(error: BaseException) -> Iterator[BaseException]:
    while (cause := error.__cause__ or error.__context__) is not None:
        yield cause
        error = cause


def _read(text: str) -> Reply:
    """The reply in a body.

    Raises:
        ValueError: the body is no chat completion.
    """
    try:
        completion: Any = json.loads(text)
        choice = completion["choices"][0]
        message, ended = choice["message"], str(choice.get("finish_reason") or "stop")
        served = str(completion.get("model") or "")
        if isinstance(refusal := message.get("refusal"), str) and refusal:
            return Reply(_whole(refusal), "refusal", served)
        content = message.get("content")
        return Reply(_whole(content) if isinstance(content, str) else "", ended, served)
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _whole(text: str) -> str:
    """The text without halves of surrogate pairs, which no file can hold."""
    return text.encode("utf-8", "replace").decode()
