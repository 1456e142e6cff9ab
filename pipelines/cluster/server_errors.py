"""What can go wrong with a cluster, as a user sees it."""

from components.shared.errors import PlimsollError


class ClusterError(PlimsollError, RuntimeError):
    """The Kubeflow Pipelines server cannot be used, or refused.

    Args:
        message: what a user reads.
        status: HTTP status of the refusal; None where there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
