"""Which pipeline run a step belongs to, and where that run is recorded."""

from typing import NamedTuple

from components.shared.config.sections import TrackingConfig


class RunContext(NamedTuple):
    """Which pipeline run a step belongs to.

    Attributes:
        tracking: the MLflow store and the audit log.
        pipeline: name of the pipeline.
        pipeline_run: id of the run.
    """

    tracking: TrackingConfig
    pipeline: str
    pipeline_run: str
