"""Finds runs, experiments, pipelines and schedules on a Kubeflow Pipelines server by their displayed name.

The server does not make sure that a run's name is unique; our callers do.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from pipelines.cluster.kfp_client import Client

_PAGE = 100


def named(client: Client, listing: Callable[..., Any], items: str, name: str, **scope: str | None) -> list[Any]:
    """The things with a displayed name, the newest first.

    Args:
        client: sends the requests.
        listing: the generated client's method that lists them.
        items: the field of its answer that holds them.
        name: displayed name.
        scope: namespace or experiment; None is left out.

    Raises:
        ClusterError: the server refuses, or does not answer.
    """
    predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
    condition = json.dumps({"predicates": [predicate]})
    listed = everything(client, listing, items, filter=condition, sort_by="created_at desc", **scope)
    return [item for item in listed if item.display_name == name]


def newest(client: Client, listing: Callable[..., Any], items: str, name: str, **scope: str | None) -> Any | None:
    """The newest thing with a displayed name, or None; see `named`."""
    return next(iter(named(client, listing, items, name, **scope)), None)


def everything(client: Client, listing: Callable[..., Any], items: str, **scope: str | None) -> Iterator[Any]:
    """Everything that a listing has, page by page; see `named`."""
    filters = {key: value for key, value in scope.items() if value is not None}
    token = ""
    while True:
        answer = client.call(listing, page_size=_PAGE, page_token=token, **filters)
        if answer is None:
            raise client.odd_answer("an empty answer")
        yield from getattr(answer, items) or ()
        token = answer.next_page_token or ""
        if not token:
            return
