"""The pipeline run that a step belongs to."""

from typing import NamedTuple

from components.shared.config.sections import TrackingConfig


class RunContext(NamedTuple):
    """The pipeline run that a step belongs to, and where it is recorded.

    Attributes:
        tracking: the MLflow store and the audit log.
        pipeline: name of the pipeline.
        pipeline_run: id of the run.
    """

    tracking: TrackingConfig
    pipeline: str
    pipeline_run: str
