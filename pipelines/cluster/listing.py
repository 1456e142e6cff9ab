"""Finds things on a Kubeflow Pipelines server by their displayed name.

Names of runs are not unique there; ours are, because we make them so. This module makes nothing.
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
        scope: namespace or experiment; what is None is left out.

    Raises:
        ClusterError: the server refuses, or does not answer.
    """
    predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
    condition = json.dumps({"predicates": [predicate]})
    found = everything(client, listing, items, filter=condition, sort_by="created_at desc", **scope)
    return [item for item in found if item.display_name == name]


def newest(client: Client, listing: Callable[..., Any], items: str, name: str, **scope: str | None) -> Any | None:
    """The newest thing with a displayed name, or None; see `named`."""
    return next(iter(named(client, listing, items, name, **scope)), None)


def everything(client: Client, listing: Callable[..., Any], items: str, **scope: str | None) -> Iterator[Any]:
    """All things that a listing has, page by page; see `named`."""
    given = {key: value for key, value in scope.items() if value is not None}
    token = ""
    while True:
        answer = client.call(listing, page_size=_PAGE, page_token=token, **given)
        yield from getattr(answer, items) or ()
        token = answer.next_page_token or ""
        if not token:
            return
