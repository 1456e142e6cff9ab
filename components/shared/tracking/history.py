"""How often was it tried? Decided pipeline runs on one base model and one training task, counted in MLflow.

Twenty attempts at a 5 % error make a lucky one likely, so a decision says which attempt it is. Base and task are
named by digests in two tags, which the gate writes with its decision; a run that never reached a decision has none
and is no attempt. A run that was deleted in MLflow is not counted either. This module does not know what was decided.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from components.shared.artifacts.training_data import DataSource
from components.shared.digests import digest_json
from components.shared.tracking.runs import PARENT, Tracker

if TYPE_CHECKING:
    from mlflow.entities import Run

BASE_TAG = "plimsoll.base_digest"
TASK_TAG = "plimsoll.task"
DECISION_TAG = "plimsoll.decision"
_PAGE = 1000
"""Runs that are fetched in one call."""


def task_digest(sources: Iterable[DataSource]) -> str:
    """The digest of a training task: of its rows' hashes, wherever they lie and whatever is mixed in beside them.

    Args:
        sources: of the training data; those with role `task` count, in any order.
    """
    return digest_json(sorted(source.sha256 for source in sources if source.role == "task"))


def lineage_tags(base_digest: str, task: str) -> dict[str, str]:
    """What a decided run's parent is found by.

    Args:
        base_digest: of the base model.
        task: from `task_digest`.
    """
    return {BASE_TAG: base_digest, TASK_TAG: task}


def attempts_before(tracker: Tracker, base_digest: str, task: str, page: int = _PAGE) -> int:
    """How many other pipeline runs of the experiment were decided on this base and this task.

    Args:
        tracker: of the current pipeline run, which is not counted.
        base_digest: of the base model.
        task: from `task_digest`.
        page: runs that are fetched in one call; all pages are read.
    """
    own = tracker.context.pipeline_run
    return sum(
        run.data.tags.get("plimsoll.pipeline_run") != own
        for run in _tagged(tracker, lineage_tags(base_digest, task), page)
        if DECISION_TAG in run.data.tags
    )


def _tagged(tracker: Tracker, tags: dict[str, str], page: int) -> "Iterator[Run]":
    """The parent runs that have these tags, page by page."""
    wanted = {"plimsoll.stage": PARENT, **tags}
    condition = " and ".join(f"tags.`{name}` = '{value}'" for name, value in wanted.items())
    token: str | None = None
    while True:
        found = tracker.client.search_runs([tracker.experiment_id], condition, max_results=page, page_token=token)
        yield from found
        token = found.token
        if not token:
            return
