"""Counts earlier attempts: decided pipeline runs on one base model and one training task.

Twenty attempts at a 5 % error make a lucky one likely, so a decision says which attempt it is. The gate writes the
digests of base and task as two tags with its decision. A run without a decision, or deleted in MLflow, is not counted.
"""

from collections.abc import Iterable

from components.shared.artifacts.training_data import DataSource
from components.shared.digests import digest_json
from components.shared.tracking.runs import PARENT, Tracker
from components.shared.tracking.tagged import tagged_runs

BASE_TAG = "plimsoll.base_digest"
TASK_TAG = "plimsoll.task"
DECISION_TAG = "plimsoll.decision"


def task_digest(sources: Iterable[DataSource]) -> str:
    """The digest of a training task: of the hashes of its task files, in any order and at any address.

    Args:
        sources: of the training data; only those with role `task` count.
    """
    return digest_json(sorted(source.sha256 for source in sources if source.role == "task"))


def lineage_tags(base_digest: str, task: str) -> dict[str, str]:
    """The tags by which the parent of a decided run is found.

    Args:
        base_digest: of the base model.
        task: from `task_digest`.
    """
    return {BASE_TAG: base_digest, TASK_TAG: task}


def attempts_before(tracker: Tracker, base_digest: str, task: str) -> int:
    """How many other pipeline runs of the experiment were decided on this base and this task.

    Args:
        tracker: of the current pipeline run, which is not counted.
        base_digest: of the base model.
        task: from `task_digest`.
    """
    tags = {"plimsoll.stage": PARENT, **lineage_tags(base_digest, task)}
    current = tracker.context.pipeline_run
    return sum(
        DECISION_TAG in run.data.tags and run.data.tags.get("plimsoll.pipeline_run") != current
        for run in tagged_runs(tracker.client, [tracker.experiment_id], tags)
    )
