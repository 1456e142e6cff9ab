"""The error that every failure of a Kubeflow Pipelines server becomes."""

from components.shared.errors import PlimsollError


class ClusterError(PlimsollError, RuntimeError):
    """The Kubeflow Pipelines server cannot be used, or refuses a request.

    Args:
        message: for the user.
        status: HTTP status of the refusal; None if there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
