"""The run that Kubeflow's own MLflow plugin opens for a task, where it does: its id is in MLFLOW_RUN_ID.

That run is not ours: nothing here ends it, resumes it or logs figures to it. Ours names it and it names ours, so that
either is found from the other. Without the plugin, and where its run is in another store, everything works the same.
"""

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLE = "MLFLOW_RUN_ID"
INJECTED_TAG = "plimsoll.kfp_mlflow_run"
"""On our runs: the plugin's run of the task, and on the parent, of the whole pipeline run."""
OURS_TAG = "plimsoll.mlflow_run"
"""On the plugin's run of a task: our run of the stage."""
_PARENT_TAG = "mlflow.parentRunId"


def adopt_injected(client: "MlflowClient", parent_id: str, stage_id: str) -> None:
    """Ties our runs and the plugin's together by tags; does nothing where there is no plugin.

    Args:
        client: of our store.
        parent_id: our run of the pipeline run.
        stage_id: our run of the stage.
    """
    from mlflow.exceptions import MlflowException

    injected = os.environ.get(VARIABLE, "").strip()
    if not injected or injected in (parent_id, stage_id):
        return
    client.set_tag(stage_id, INJECTED_TAG, injected)
    whole = injected
    with suppress(MlflowException):  # it is in another store, or gone: our runs still name it
        whole = client.get_run(injected).data.tags.get(_PARENT_TAG, injected)
        client.set_tag(injected, OURS_TAG, stage_id)
    client.set_tag(parent_id, INJECTED_TAG, whole)
