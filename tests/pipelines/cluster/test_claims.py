"""Claims on a directory and on a real S3 endpoint."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from components.shared.errors import IntegrityError
from pipelines.cluster.claims import Claims


@pytest.fixture(params=["directory", "s3"])
def store(request, tmp_path) -> str:
    return str(tmp_path) if request.param == "directory" else f"{request.getfixturevalue('bucket')}/{tmp_path.name}"


def test_one_of_many_gets_a_claim(store):
    """Eight callers want the same attempt at the same moment: one gets it, and all read the same claim afterwards."""
    together = threading.Barrier(8)

    def want(number: int):
        together.wait()
        return Claims(store, "p", "sha256:" + "a" * 64).claim(1, f"caller {number}", ("because",))

    with ThreadPoolExecutor(8) as pool:
        claims = [claim for claim in pool.map(want, range(8)) if claim is not None]
    assert len(claims) == 1
    assert Claims(store, "p", "sha256:" + "a" * 64).latest() == claims[0]


def test_attempts_are_counted_and_settled(store):
    """Attempts follow one another, each with its own run name; the run of each is recorded beside it."""
    claims = Claims(store, "p", "sha256:" + "b" * 64)
    assert claims.latest() is None
    first, second = claims.claim(1, "a", ()), claims.claim(2, "b", ())
    assert claims.latest() == second
    assert first.run_name != second.run_name
    assert claims.settled(second) == (False, None)
    claims.settle(first, None)
    claims.settle(second, "run-2")
    assert (claims.settled(first), claims.settled(second)) == ((True, None), (True, "run-2"))
    assert Claims(store, "p", "sha256:" + "c" * 64).latest() is None


def test_a_damaged_claim_is_named(tmp_path):
    """A claim that is no JSON is an error that says which file to remove."""
    claims = Claims(str(tmp_path), "p", "sha256:" + "d" * 64)
    claims.claim(1, "a", ())
    file = next(tmp_path.rglob("1.claim.json"))
    file.write_text("{")
    with pytest.raises(IntegrityError, match=r"1.claim.json: is not a claim.*remove it"):
        claims.latest()
