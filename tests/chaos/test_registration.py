"""kill -9 at every moment of a registration: one version, a champion that is in the audit log, whoever finishes it."""

import pytest

from tests.chaos.cases import FAILED, SAME
from tests.chaos.faults import Fault
from tests.chaos.soundness import entries, sound, unclean, versions

PROMOTED, FAILURE = 0, 1
_STEP, _REGISTRY = "components.register_adapter.step", "components.shared.tracking.registry"
MOMENTS = (
    f"before {_STEP}:ensure_version",
    f"after {_REGISTRY}:_log_model",
    f"after {_STEP}:ensure_version",
    f"before {_STEP}:follow",
    f"after {_STEP}:follow",
    f"before {_STEP}:_publish",
    f"after {_STEP}:_publish",
)
"""After the entry `registering`; between model and version; before and after the entry `registered`; around the
aliases; and before the step's end."""
STAGE = "register_adapter"


def short(moment: str) -> str:
    return moment.replace(_STEP, "").replace(_REGISTRY, "").replace(":", "")


@pytest.mark.parametrize("moment", MOMENTS, ids=short)
def test_a_registration_that_was_killed_is_finished_by_the_same_step(small, note, moment):
    """Kubernetes starts the step again: one version, one entry, no orphan."""
    ended = small.run(Fault(STAGE, moment, "die"), exec_stages=(STAGE,), retry=True)
    assert unclean(ended, PROMOTED) == []
    check_one(small)
    note("registration killed", SAME)


@pytest.mark.parametrize("moment", MOMENTS, ids=short)
def test_a_registration_that_was_killed_is_finished_by_a_new_run(small, note, moment):
    """A person starts the whole graph anew, with the same inputs: it takes the version that is there."""
    broken = small.run(Fault(STAGE, moment, "die"), exec_stages=(STAGE,))
    assert unclean(broken, FAILURE) == []
    note("registration killed", FAILED)
    assert unclean(small.run(), PROMOTED) == []
    check_one(small)
    note("registration killed", SAME)


def check_one(small) -> None:
    """Exactly one version, which every entry about a registration names."""
    assert sound(small) == []
    assert len(versions(small)) == 1
    assert {entry.facts["version"] for entry in entries(small, "registered")} == {"1"}
