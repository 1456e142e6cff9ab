"""Requests to a Kubeflow Pipelines server: repeated where that is safe; every failure is one ClusterError.

Built on the server's generated client, not on the SDK's Client, which reads and writes a context file in the home
directory, prints, waits for ever for a cancelled run, and repeats nothing.

429 and 5xx answers and broken connections are tried again, each time after a longer wait. The server may have carried
out a request although its answer was lost; so before a request that makes something is repeated, the caller's `find`
looks whether the thing exists.
"""

import json
import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pipelines.cluster.credentials import Credentials, Server
from pipelines.cluster.server_errors import ClusterError

Found = TypeVar("Found")
_TIMEOUT_S = (10, 60)
"""Seconds to connect, and to answer."""
_WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each repetition."""
_LONGEST_WAIT_S = 60.0
"""A longer wait that the server asks for is cut to this."""
_AGAIN = (408, 429, 500, 502, 503, 504)
_SHOWN = 300


class Client:
    """The parts of the server's interface that we use.

    Args:
        server: address and credentials.
        sleep: waits; replaced in tests.
    """

    def __init__(self, server: Server, sleep: Callable[[float], None] = time.sleep) -> None:
        import kfp_server_api  # type: ignore[import-untyped]

        self.server = server
        self._sleep = sleep
        settings = kfp_server_api.Configuration(host=server.host)
        settings.ssl_ca_cert = os.environ.get("SSL_CERT_FILE")
        settings.retries = False  # _send repeats what may be repeated; a redirect to a login page is no answer
        self._settings = settings
        api = kfp_server_api.ApiClient(settings, cookie=server.credentials.cookie)
        self.models = kfp_server_api
        self.runs = kfp_server_api.RunServiceApi(api)
        self.recurring = kfp_server_api.RecurringRunServiceApi(api)
        self.experiments = kfp_server_api.ExperimentServiceApi(api)
        self.pipelines = kfp_server_api.PipelineServiceApi(api)
        self.uploads = kfp_server_api.PipelineUploadServiceApi(api)

    def call(self, request: Callable[..., Found], *arguments: Any, **named: Any) -> Found:
        """Sends a request that may be repeated, because it reads, or because a second one changes nothing.

        Raises:
            ClusterError: the server refuses, or does not answer in any attempt.
        """
        return self._send(lambda: request(*arguments, _request_timeout=_TIMEOUT_S, **named), None)

    def make(
        self, find: Callable[[], Found | None], request: Callable[..., Found], *arguments: Any, **named: Any
    ) -> Found:
        """Sends a request that makes something; before it is repeated, `find` looks whether it was made.

        Raises:
            ClusterError: the server refuses, or does not answer in any attempt.
        """
        return self._send(lambda: request(*arguments, _request_timeout=_TIMEOUT_S, **named), find)

    def identity(self, made: object, name: str) -> str:
        """The id of something that the server says it has made or has.

        Args:
            made: its answer.
            name: the answer's field that holds the id.

        Raises:
            ClusterError: the answer has none, so that nothing was made.
        """
        if not (found := getattr(made, name, None)):
            raise self.odd_answer(f"no {name}")
        return str(found)

    def _send(self, request: Callable[[], Found], find: Callable[[], Found | None] | None) -> Found:
        from urllib3.exceptions import HTTPError

        renewed = False
        waits = list(_WAITS_S)
        while True:
            token = self._authorize()
            try:
                return request()
            except self.models.ApiException as error:
                if error.status == 401 and not renewed and self._renewed(token):
                    renewed = True
                    continue
                if error.status not in _AGAIN or not waits:
                    raise self._refusal(error) from None
                wait = _asked_wait(error, waits.pop(0))
            except (AttributeError, TypeError, ValueError) as error:
                # the generated client cannot read an answer without a body, or with one that is none of the server's
                raise self._unread(error) from None
            except HTTPError as error:
                if not waits:
                    raise ClusterError(
                        f"{self.server.host} does not answer: {_first_line(error)}; check the address (--host, "
                        f"cluster.host) and the connection ({1 + len(_WAITS_S)} attempts)"
                    ) from None
                wait = waits.pop(0)
            self._sleep(wait)
            if find is not None and (made := find()) is not None:
                return made

    def _authorize(self) -> str | None:
        token = self.server.credentials.current_token()
        if token is not None:
            self._settings.api_key = {"authorization": token}
            self._settings.api_key_prefix = {"authorization": "Bearer"}
        return token

    def _renewed(self, used: str | None) -> bool:
        """Whether the token's file holds another token now."""
        return used is not None and self.server.credentials.current_token() != used

    def _refusal(self, error: Any) -> ClusterError:
        return ClusterError(f"{self.server.host} {self._reason(error)}", error.status or None)

    def _unread(self, error: Exception) -> ClusterError:
        """The error for an answer that the generated client cannot read."""
        if isinstance(error.__context__, self.models.ApiException):
            return self._refusal(error.__context__)
        return self.odd_answer(error)

    def odd_answer(self, error: object) -> ClusterError:
        """The error for an answer that is none of a Kubeflow Pipelines server."""
        return ClusterError(
            f"{self.server.host} answered what is no answer of a Kubeflow Pipelines server ({_first_line(error)}); "
            "check that --host or cluster.host names the API itself, such as http://localhost:8888 or "
            "https://HOST/pipeline, not a login page"
        )

    def _reason(self, error: Any) -> str:
        status, who = error.status, self.server.credentials
        if status == 401 or 300 <= status < 400:  # a redirect leads to a login page
            return f"refuses access (HTTP {status}, with {who.describe()}); {_cure(who)}"
        if status == 403:
            place = f"namespace {self.server.namespace!r}" if self.server.namespace else "this server"
            return (
                f"does not allow this in {place} (HTTP 403, with {who.describe()}): {_said(error)}; check "
                "--namespace and the account's role"
            )
        if status in _AGAIN:
            return f"answered HTTP {status} in {1 + len(_WAITS_S)} attempts: {_said(error)}; try again later"
        if status == 0:
            return (
                f"offers no trusted connection: {_first_line(error.reason)}; for a certificate authority of your own, "
                "name its file with SSL_CERT_FILE"
            )
        return f"refused (HTTP {status}): {_said(error)}"


def _cure(who: Credentials) -> str:
    if who.token is None and who.token_file is None and who.cookie is None:
        return "give --token-file, PLIMSOLL_KFP_TOKEN or --cookie"
    return "it has expired, or is meant for another server: get a new one and repeat the command"


def _asked_wait(error: Any, otherwise: float) -> float:
    """Seconds to wait: what the server asks for in Retry-After, up to a minute; else `otherwise`."""
    asked = (error.headers or {}).get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT_S) if asked.isdigit() else otherwise


def _said(error: Any) -> str:
    """The reason in the server's answer, or the whole answer if it is not JSON."""
    body = error.body or ""
    try:
        content = json.loads(body)
        text = str(content.get("message") or content.get("error") or content)
    except (ValueError, AttributeError):
        text = body
    return " ".join(text.split())[:_SHOWN] or str(error.reason)


def _first_line(error: object) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:_SHOWN]
