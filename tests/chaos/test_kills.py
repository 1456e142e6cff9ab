"""kill -9 of a step and of the launcher at each stage: a new run, or the same step again, decides as if nothing was."""

import pytest

from tests.chaos.cases import FAILED, SAME
from tests.chaos.faults import Fault
from tests.chaos.small_project import SmallProject
from tests.chaos.soundness import sound, unclean, versions

PROMOTED, REJECTED, FAILURE, KILLED = 0, 10, 1, -9
STAGES = (
    "prepare_data",
    "evaluate_safety_baseline",
    "finetune_lora",
    "evaluate_safety_post",
    "compute_delta",
    "follow_up",
    "check_gate",
    "register_adapter",
    "reject_adapter",
    "publish_report",
)


@pytest.fixture
def decided(small: SmallProject, request: pytest.FixtureRequest) -> int:
    """The exit code of an undisturbed run: a task that is not learnt is the way to `reject_adapter`."""
    if "reject_adapter" not in request.node.name:
        return PROMOTED
    small.write_policy(task_min_gain_pp=90)
    return REJECTED


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_step_fails_the_run_and_a_new_run_decides(small, decided, note, stage):
    """The run ends in a failure that names the stage; a new run ends in the decision, with one version."""
    broken = small.run(Fault(stage, "saved", "die"), exec_stages=(stage,))
    assert unclean(broken, FAILURE) == []
    assert f"error: the run failed: {stage}: " in broken.output
    note("step killed", FAILED)
    again = small.run()
    assert unclean(again, decided) == []
    assert sound(small) == []
    assert len(versions(small)) == (decided == PROMOTED)
    note("step killed", SAME)


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_step_that_is_retried_ends_in_the_same_decision(small, decided, note, stage):
    """The same step, started again with the same arguments, finishes what the killed one began, and nothing twice."""
    ended = small.run(Fault(stage, "saved", "die"), exec_stages=(stage,), retry=True)
    assert unclean(ended, decided) == []
    assert sound(small) == []
    assert len(versions(small)) == (decided == PROMOTED)
    note("step killed, retried", SAME)


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_launcher_leaves_nothing_behind_and_a_new_run_decides(small, decided, note, stage):
    """Its step is stopped, its MLflow runs are closed as killed, and a new run ends in the decision."""
    fault = Fault(stage, "opened", "wait")
    running = small.start(fault, forked=False, exec_stages=(stage,))
    running.reached(fault)
    running.kill()
    broken = running.wait()
    assert unclean(broken, KILLED) == []
    assert sound(small) == []
    note("launcher killed", FAILED)
    again = small.run()
    assert unclean(again, decided) == []
    assert sound(small) == []
    assert len(versions(small)) == (decided == PROMOTED)
    note("launcher killed", SAME)
