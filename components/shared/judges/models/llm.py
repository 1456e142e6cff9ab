"""A language model behind an endpoint as a judge: one request per distinct exchange; replies are kept as they come.

A reply that cannot be read is `unscored`. An endpoint that does not answer ends the step; the next run asks only for
the replies that are missing.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager

from components.shared.config.judges import LlmConfig
from components.shared.digests import digest_json, short
from components.shared.errors import PlimsollError
from components.shared.judges.judge import Exchange, Judgement
from components.shared.judges.models.endpoint import Endpoint, Reply
from components.shared.judges.models.judge_templates import ExchangeTemplate
from components.shared.judges.models.parsing import ReplyRule, unread
from components.shared.judges.models.replies import ReplyCache
from components.shared.progress import Progress, Say
from components.shared.vocabulary import Verdict

_RULES = "1"
"""Raise it when the code here gives other verdicts."""

_WITHHELD = {
    "refusal": "is a refusal",
    "content_filter": "was held back by the endpoint's content filter",
    "withheld": "is missing, because the endpoint would not read the request",
}
"""How a reply may end without a verdict."""


class LlmJudge:
    """See `Judge`.

    Args:
        config: model, template and how a reply becomes a verdict.
        connect: opens the endpoint; called when the first answer is judged.
        replies: where replies are kept.
        say: where progress goes.
    """

    def __init__(
        self,
        config: LlmConfig,
        connect: Callable[[], AbstractContextManager[Endpoint]],
        replies: ReplyCache,
        say: Say,
    ) -> None:
        self.name = config.name
        self._config, self._connect, self._replies, self._say = config, connect, replies, say
        self._rule = ReplyRule(config.parse, config.labels or {}, config.scale)
        self._template = ExchangeTemplate(config.name, config.template)
        fields = ("model", "system", "template", "parse", "labels", "scale", "temperature", "seed", "max_new_tokens")
        rules = config.model_dump(mode="json", include={*fields, "extra"})
        self.version = short(digest_json([_RULES, "llm", rules]))

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """See `Judge.judge`.

        Raises:
            ModelError: the endpoint does not answer.
            IntegrityError: a kept reply is damaged.
        """
        if not exchanges:
            return []
        requests = [self._request(exchange) for exchange in exchanges]
        keys = [self._key(request) for request in requests]
        replies = self._answered(dict(zip(keys, requests, strict=True)))
        return [self._judgement(replies[key]) for key in keys]

    def _request(self, exchange: Exchange) -> dict[str, object]:
        opening = [] if self._config.system is None else [{"role": "system", "content": self._config.system}]
        settings = {
            "temperature": self._config.temperature,
            "seed": self._config.seed,
            "max_tokens": self._config.max_new_tokens,
        }
        return {
            "model": self._config.model,
            "messages": [*opening, {"role": "user", "content": self._template.fill(exchange)}],
            **{name: value for name, value in settings.items() if value is not None},
            **self._config.extra,
        }

    def _key(self, request: Mapping[str, object]) -> str:
        """Digest of all that the reply depends on, and of the template; the endpoint's address is no part of it."""
        return digest_json({"request": dict(request), "template": digest_json(self._config.template)})

    def _answered(self, requests: Mapping[str, Mapping[str, object]]) -> dict[str, Reply]:
        progress = Progress(self._say, f"replies of {self.name}", len(requests))
        replies: dict[str, Reply] = {}
        with self._connect() as endpoint, ThreadPoolExecutor(self._config.concurrency, "judge") as pool:
            waiting = {pool.submit(self._reply, endpoint, key, request): key for key, request in requests.items()}
            try:
                for done in as_completed(waiting):
                    replies[waiting[done]] = done.result()
                    progress.advance(1)
            except BaseException as error:
                endpoint.stop()
                pool.shutdown(cancel_futures=True)
                if isinstance(error, PlimsollError) and self._replies.address is not None:
                    error.add_note(f"the replies so far are kept in {self._replies.address}; run again to go on")
                raise
        return replies

    def _reply(self, endpoint: Endpoint, key: str, request: Mapping[str, object]) -> Reply:
        if (kept := self._replies.get(key)) is not None:
            return kept
        reply = endpoint.complete(request)
        if reply.ended != "withheld":
            self._replies.put(key, reply)
        return reply

    def _judgement(self, reply: Reply) -> Judgement:
        if (why := _WITHHELD.get(reply.ended)) is not None:
            return unread(why, reply.text)
        judgement = self._rule.judgement(reply.text)
        if reply.ended == "length" and judgement.verdict is Verdict.UNSCORED:
            return unread("was cut at max_new_tokens", reply.text)
        return judgement
