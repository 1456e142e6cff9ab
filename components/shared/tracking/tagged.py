"""Finds runs by their tags."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

ACTIVE_ONLY = 1
"""mlflow's ViewType for what is not deleted."""


def tagged_runs(
    client: "MlflowClient",
    experiment_ids: list[str],
    tags: Mapping[str, str],
    page: int = 1000,
    view: int = ACTIVE_ONLY,
) -> "list[Run]":
    """All runs of some experiments that have these tags, the newest first.

    Args:
        client: of the store.
        experiment_ids: where they are looked for.
        tags: name and value.
        page: number of runs that are read in a call.
        view: mlflow's ViewType: whether deleted runs are found, too.
    """
    condition = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    runs: list[Run] = []
    token: str | None = None
    while True:
        batch = client.search_runs(
            experiment_ids,
            condition,
            run_view_type=view,
            order_by=["attributes.start_time DESC"],
            max_results=page,
            page_token=token,
        )
        runs.extend(batch)
        token = batch.token
        if not token:
            return runs
