"""Tells what this machine cannot look at from what is wrong, where the steps will run on a cluster.

A cluster may have other credentials, another network and mounted claims. What was not reached is said and does not stop
a submission; what was reached and is wrong does.
"""

from collections.abc import Iterator
from pathlib import Path

from components.shared.config.base_model import BaseModelRef
from components.shared.config.cluster import ClusterConfig
from components.shared.errors import TrackingError
from components.shared.storage import AccessDeniedError, ClockSkewError, CredentialsError, UnreachableError
from components.shared.tracking.retry import MlflowRefusalError

_AWAY = (AccessDeniedError, ClockSkewError, CredentialsError, UnreachableError)
_NOT_ALLOWED = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED"})
"""MLflow's codes for a login that is missing or may not."""


def missing_claim(address: str, cluster: ClusterConfig) -> str | None:
    """Why a path cannot be looked at: it lies on a claim that is not mounted here. None for any other address.

    Args:
        address: a path or s3:// address.
        cluster: names the claims and where they are mounted.
    """
    claims = (*cluster.volumes, cluster.checkpoints, cluster.model_cache)
    for claim in (each for each in claims if each is not None):
        folder = claim.path.rstrip("/")
        if (address == folder or address.startswith(f"{folder}/")) and not Path(address).exists():
            return f"{address} is on the claim {claim.claim}, which is not mounted on this machine"
    return None


def why_unreached(error: BaseException) -> str | None:
    """Why a store could not be asked from here; None if it was asked and the error is about what it holds.

    An error that was turned into one of ours still has the first one as its context.
    """
    for each in _chain(error):
        if _hub_is_away(each):
            return str(error)
        refused = isinstance(each, MlflowRefusalError)
        if isinstance(each, _AWAY) or (isinstance(each, TrackingError) and not refused):
            return str(error)
        if isinstance(each, MlflowRefusalError) and each.code in _NOT_ALLOWED:
            return str(error)
    return None


def why_hub_unreached(error: BaseException, base: BaseModelRef) -> str | None:
    """Why the hub could not be asked from here, or does not give a model to this machine; None if the model is wrong.

    Args:
        error: of the check of a base model.
        base: that base model.
    """
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    first = error.__context__
    if base.path is not None or first is None or isinstance(first, HFValidationError):
        return None
    if isinstance(first, HfHubHTTPError):
        return str(error) if _hub_is_away(first) else None
    return str(error)


def _hub_is_away(error: BaseException) -> bool:
    """Whether an error of the hub's client is about the connection, or about what this machine may have."""
    from httpx2 import TransportError
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        status = getattr(error.response, "status_code", 0)
        return status in {401, 403} or status >= 500
    return isinstance(error, TransportError | ConnectionError)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
