"""MLflow and S3 are away for a minute and a half in mid-run; credentials expire in mid-run."""

import time

import pytest

from tests.chaos.cases import FAILED, SAME
from tests.chaos.faults import Fault
from tests.chaos.servers import mlflow_on_sqlite
from tests.chaos.soundness import sound, unclean, versions

PROMOTED, FAILURE = 0, 1
AWAY_S = 90


@pytest.fixture
def mlflow_server(s3_door, tmp_path):
    """An MLflow server on sqlite."""
    server = mlflow_on_sqlite(tmp_path, s3_door.url)
    yield server
    server.stop()


def test_servers_that_are_away_for_a_while_change_no_decision(in_s3, s3_door, mlflow_server, note):
    """A run waits for MLflow and goes on; without S3 it fails in words, and a new run ends in the decision."""
    without_mlflow, without_s3 = in_s3("without-mlflow"), in_s3("without-s3")
    tracking = without_mlflow.tracking.model_copy(update={"uri": mlflow_server.url})
    without_mlflow.move(without_mlflow.store, tracking)
    fault = Fault("finetune_lora", "opened", "wait")
    waiting, failing = without_mlflow.start(fault), without_s3.start(fault)
    waiting.reached(fault)
    failing.reached(fault)
    mlflow_server.stop()
    waiting.go_on(fault)  # it does not need S3 before MLflow has answered
    s3_door.shut("away")
    failing.go_on(fault)
    began = time.monotonic()
    broken = failing.wait()
    assert unclean(broken, FAILURE) == []
    assert s3_door.refused > 0
    assert "no connection" in broken.output
    note("S3 away", FAILED)
    time.sleep(max(0.0, AWAY_S - (time.monotonic() - began)))
    s3_door.shut("open")
    mlflow_server.start()
    assert unclean(waiting.wait(), PROMOTED) == []
    assert sound(without_mlflow) == []
    assert len(versions(without_mlflow)) == 1
    note("MLflow away", SAME)
    assert unclean(without_s3.run(), PROMOTED) == []
    assert sound(without_s3) == []
    assert len(versions(without_s3)) == 1
    note("S3 away", SAME)


@pytest.mark.parametrize(
    "stage",
    ["prepare_data", "evaluate_safety_baseline", "finetune_lora", "follow_up", "check_gate", "register_adapter"],
)
def test_credentials_that_expire_in_mid_run_fail_it_and_new_ones_decide(in_s3, s3_door, note, stage):
    """The message says that they have expired; with new ones, a new run ends in the decision."""
    small = in_s3("small")
    fault = Fault(stage, "opened", "wait")
    running = small.start(fault)
    running.reached(fault)
    s3_door.shut("expired")
    running.go_on(fault)
    broken = running.wait()
    assert unclean(broken, FAILURE) == []
    assert "the temporary credentials have expired: get new ones" in broken.output
    note("credentials expired", FAILED)
    s3_door.shut("open")
    assert unclean(small.run(), PROMOTED) == []
    assert sound(small) == []
    assert len(versions(small)) == 1
    note("credentials expired", SAME)
