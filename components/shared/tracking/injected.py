"""Links our runs with the run that Kubeflow's MLflow plugin opens for a task, by tags in both directions.

The plugin's run is named in MLFLOW_RUN_ID. It is not ours: it is never ended or resumed, and no figures go to it.
"""

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from components.shared.tracking.retry import MlflowRefusalError

if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLE = "MLFLOW_RUN_ID"
INJECTED_TAG = "plimsoll.kfp_mlflow_run"
"""On a stage: the plugin's run of the task. On the parent: the plugin's run of the whole pipeline run."""
OURS_TAG = "plimsoll.mlflow_run"
"""On the plugin's run of a task: our run of the stage."""
_PARENT_TAG = "mlflow.parentRunId"


def adopt_injected(client: "MlflowClient", parent_id: str, stage_id: str) -> None:
    """Tags our runs with the plugin's and the plugin's with ours; does nothing without the plugin.

    Args:
        client: of our store.
        parent_id: our run of the pipeline run.
        stage_id: our run of the stage.
    """
    injected = os.environ.get(VARIABLE, "").strip()
    if not injected or injected in (parent_id, stage_id):
        return
    client.set_tag(stage_id, INJECTED_TAG, injected)
    whole = injected
    with suppress(MlflowRefusalError):  # it is in another store, or deleted: our runs name it all the same
        whole = client.get_run(injected).data.tags.get(_PARENT_TAG, injected)
        client.set_tag(injected, OURS_TAG, stage_id)
    client.set_tag(parent_id, INJECTED_TAG, whole)
