"""Two runs at once on one store and one registry, and clocks that go back."""

import pytest

from tests.chaos.cases import SAME
from tests.chaos.faults import Fault
from tests.chaos.small_project import SmallProject
from tests.chaos.soundness import entries, sound, unclean, versions

PROMOTED = 0
DAY_S = 86400
TOGETHER = ("prepare_data", "evaluate_safety_post", "check_gate", "register_adapter")


@pytest.mark.parametrize("stage", TOGETHER)
@pytest.mark.parametrize("place", ["disk", "S3"])
def test_two_runs_at_once_are_both_promoted(small, in_s3, note, stage, place):
    """Both reach a stage and open it at the same time: each ends in the decision, and the champion is in the log."""
    project: SmallProject = small if place == "disk" else in_s3("s3")
    fault = Fault(stage, "opened", "wait")
    runs = [project.start(fault), project.start(fault)]
    for running in runs:
        running.reached(fault)
    for running in runs:
        running.go_on(fault)
    for ended in [running.wait() for running in runs]:
        assert unclean(ended, PROMOTED) == []
        note("two runs at once", SAME)
    assert sound(project) == []
    assert len(entries(project, "decided")) == 2
    assert 1 <= len(versions(project)) <= 2


@pytest.mark.parametrize(
    "stage",
    ["prepare_data", "finetune_lora", "evaluate_safety_post", "check_gate", "register_adapter", "publish_report"],
)
def test_a_clock_that_goes_back_a_day_changes_no_decision(small, note, stage):
    """From the middle of one step on, its clock is a day late; then a whole run is on time."""
    assert unclean(small.run(Fault(stage, "opened", f"clock -{DAY_S}")), PROMOTED) == []
    assert sound(small) == []
    assert len(versions(small)) == 1
    note("clock goes back", SAME)
    assert unclean(small.run(), PROMOTED) == []
    assert sound(small) == []
    note("clock goes back", SAME)
