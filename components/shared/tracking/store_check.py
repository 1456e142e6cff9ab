"""Checks before a run that the MLflow store answers and can take its runs. Nothing is created."""

from components.shared.config.sections import TrackingConfig
from components.shared.errors import ConfigError
from components.shared.tracking.runs import open_client
from components.shared.tracking.waiting import requests_end_after

_WAIT_S = 10.0
"""Seconds for which a server that is away is asked again."""


def check_store(tracking: TrackingConfig, deadline_s: float = _WAIT_S) -> str:
    """What the store says about the experiment, in a few words.

    Args:
        tracking: the store; a sqlite file that does not exist is not made.
        deadline_s: seconds for which a call is repeated.

    Raises:
        ConfigError: the experiment was deleted.
        TrackingError: the store does not answer, or refuses the call.
    """
    if (database := tracking.sqlite_file) is not None and not database.is_file():
        return "does not exist yet; a run makes it"
    with requests_end_after(max(deadline_s, 1.0)):
        experiment = open_client(tracking, deadline_s).get_experiment_by_name(tracking.experiment)
    if experiment is None:
        return f"answers; experiment {tracking.experiment!r} does not exist yet, a run makes it"
    if experiment.name != tracking.experiment:
        raise ConfigError(
            f"tracking.uri: {tracking.uri} answered about experiment {experiment.name!r} when asked about "
            f"{tracking.experiment!r}: it is no MLflow server; expected the address of MLflow itself, not of a login "
            "page or a proxy"
        )
    if experiment.lifecycle_stage == "deleted":
        raise ConfigError(
            f"tracking.experiment: {tracking.experiment!r} was deleted in the MLflow store; choose another name, or "
            f"bring it back: MLFLOW_TRACKING_URI={tracking.uri} mlflow experiments restore --experiment-id "
            f"{experiment.experiment_id}"
        )
    return f"answers; experiment {tracking.experiment!r} exists"
