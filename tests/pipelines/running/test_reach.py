"""What this machine cannot look at is told from what is wrong."""

import httpx2
import pytest
from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

from components.shared.config.base_model import BaseModelRef
from components.shared.config.cluster import ClaimMount, ClusterConfig
from components.shared.errors import ConfigError, DataError, TrackingError
from components.shared.storage import BucketMissingError, UnreachableError
from components.shared.tracking.retry import MlflowRefusalError
from pipelines.running.reach import missing_claim, why_hub_unreached, why_unreached

HUB = BaseModelRef(hub_id="org/m", revision="abc")


def wrapped(first: Exception, second: type[Exception] = DataError) -> Exception:
    """An error as our readers raise it: the first one is its context only."""
    try:
        try:
            raise first
        except Exception as error:  # noqa: BLE001
            raise second(f"rows: {error}") from None
    except Exception as error:  # noqa: BLE001
        return error


def test_a_path_on_a_claim_is_not_looked_for(tmp_path):
    """A path below a claim's mount is the cluster's, unless it is here as well."""
    cluster = ClusterConfig(volumes=(ClaimMount(claim="rows", path="/data"), ClaimMount(claim="x", path=str(tmp_path))))
    assert missing_claim("/data/task.jsonl", cluster) == (
        "/data/task.jsonl is on the claim rows, which is not mounted on this machine"
    )
    assert missing_claim(str(tmp_path), cluster) is None
    assert missing_claim("/database/task.jsonl", cluster) is None
    assert missing_claim("s3://data/x", cluster) is None


@pytest.mark.parametrize(
    ("error", "unreached"),
    [
        (wrapped(UnreachableError("s3://b/k: no connection")), True),
        (wrapped(BucketMissingError("s3://b/k: no bucket")), False),
        (DataError("row 3"), False),
        (TrackingError("did not answer"), True),
        (MlflowRefusalError("who are you", "UNAUTHENTICATED"), True),
        (MlflowRefusalError("no such table", "INTERNAL_ERROR"), False),
        (wrapped(httpx2.ConnectError("no route")), True),
        (wrapped(FileNotFoundError("rows.jsonl")), False),
    ],
)
def test_only_reach_counts(error, unreached):
    """Stores that do not answer or do not let us in were not reached; what they said about content counts."""
    assert (why_unreached(error) is not None) == unreached


@pytest.mark.parametrize(
    ("first", "unreached"),
    [
        (RepositoryNotFoundError("no", response=httpx2.Response(401, request=httpx2.Request("GET", "http://h"))), True),
        (RevisionNotFoundError("no", response=httpx2.Response(404, request=httpx2.Request("GET", "http://h"))), False),
        (ConnectionError("offline"), True),
    ],
)
def test_a_hub_that_gives_nothing_to_this_machine_may_give_it_to_the_cluster(first, unreached):
    """A refusal and a lost connection are about this machine; a revision that does not exist is wrong everywhere."""
    assert (why_hub_unreached(wrapped(first, ConfigError), HUB) is not None) == unreached
    assert why_hub_unreached(wrapped(first, ConfigError), BaseModelRef(path="m")) is None
    assert why_hub_unreached(ConfigError("not pinned"), HUB) is None
