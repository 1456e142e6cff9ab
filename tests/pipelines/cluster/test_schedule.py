"""Schedules: what is sent, and that there is one per name."""

import json

import pytest

from pipelines.cluster.schedule import (
    delete_schedule,
    list_schedules,
    pause_schedule,
    put_schedule,
    resume_schedule,
)
from pipelines.cluster.server_errors import ClusterError

RECURRING = "/apis/v2beta1/recurringruns"


def _put(client, package, name="nightly", cron="0 0 3 * * *"):
    return put_schedule(client, package, name, cron, "e", "runner")


def test_a_schedule_is_one_request(kubeflow, connect, package):
    """It is on, never beside itself, makes up for nothing, and holds the pipeline as compiled now."""
    identity, replaced = _put(connect(namespace="team"), package)
    (made,) = kubeflow.sent("POST", RECURRING)
    assert made.body == {
        "display_name": "nightly",
        "description": "Made by plimsoll schedule.",
        "experiment_id": kubeflow.things["experiments"][0]["experiment_id"],
        "mode": "ENABLE",
        "trigger": {"cron_schedule": {"cron": "0 0 3 * * *"}},
        "max_concurrency": "1",
        "no_catchup": True,
        "pipeline_spec": package.body,
        "runtime_config": {"parameters": {}},
        "service_account": "runner",
    }
    assert (identity, replaced) == (kubeflow.things["recurringruns"][0]["recurring_run_id"], False)
    (looked,) = kubeflow.sent("GET", RECURRING)
    assert looked.query["namespace"] == "team"
    assert json.loads(looked.query["filter"])["predicates"][0]["stringValue"] == "nightly"


def test_the_same_name_replaces(kubeflow, connect, package):
    """The second schedule of a name is made, then the first is deleted; one of another name stays."""
    client = connect()
    first, _ = _put(client, package)
    other, _ = _put(client, package, "weekly")
    second, replaced = _put(client, package, cron="0 0 4 * * *")
    assert replaced
    assert [(each.name, each.cron, each.identity) for each in list_schedules(client)] == [
        ("nightly", "0 0 4 * * *", second),
        ("weekly", "0 0 3 * * *", other),
    ]
    deleted = kubeflow.sent("DELETE", f"{RECURRING}/{first}")
    assert [request.status for request in deleted] == [200]
    assert kubeflow.requests.index(deleted[0]) > kubeflow.requests.index(kubeflow.sent("POST", RECURRING)[-1])


def test_a_lost_answer_makes_no_second_schedule(kubeflow, connect, package):
    """Where the answer was lost the schedule that was made is found, also beside an older one of the name."""
    client = connect()
    _put(client, package)
    kubeflow.fail("POST", RECURRING, 500, carried_out=True)
    identity, _ = _put(client, package)
    assert [each.identity for each in list_schedules(client)] == [identity]


def test_pause_resume_and_delete(kubeflow, connect, package):
    """Each is one request to the schedule; pausing and resuming show in the list."""
    client = connect()
    identity, _ = _put(client, package)
    pause_schedule(client, "nightly")
    assert [each.enabled for each in list_schedules(client)] == [False]
    resume_schedule(client, "nightly")
    assert [each.enabled for each in list_schedules(client)] == [True]
    delete_schedule(client, "nightly")
    assert list_schedules(client) == []
    done = [
        (request.method, request.path.partition(identity)[2])
        for request in kubeflow.requests
        if identity in request.path
    ]
    assert done == [("POST", ":disable"), ("POST", ":enable"), ("DELETE", "")]


def test_a_schedule_that_is_not_there_is_named(kubeflow, connect, package):
    """The message says which schedules there are."""
    client = connect()
    _put(client, package)
    with pytest.raises(ClusterError, match="no schedule 'hourly'; the server has nightly"):
        pause_schedule(client, "hourly")


def test_long_lists_are_read_to_the_end(kubeflow, connect, package):
    """More schedules than one page holds are all shown."""
    kubeflow.things["recurringruns"] = [{"recurring_run_id": str(n), "display_name": f"s{n:03}"} for n in range(130)]
    assert len(list_schedules(connect())) == 130
