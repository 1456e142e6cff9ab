"""`plimsoll submit`, `schedule` and `trigger` as a person calls them, against a recording server."""

import json

import pytest
from typer.testing import CliRunner, Result

from components.shared.errors import ConfigError, DataError
from pipelines.cli import app
from pipelines.cluster.server_errors import ClusterError

RUNS = "/apis/v2beta1/runs"


@pytest.fixture
def plimsoll(tracked_project, kubeflow, monkeypatch):
    """Runs a command in the small project; the server is named by the environment."""
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", kubeflow.host)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


def test_submit_prints_both_links(plimsoll, kubeflow):
    """A submission says where the run is in Kubeflow and in MLflow, and does not wait."""
    result = plimsoll("submit", "config.yaml", "--run-name", "mine", "--experiment", "trials")
    assert result.exit_code == 0, result.output
    run_id = kubeflow.things["runs"][0]["run_id"]
    assert f"submitted run {run_id} (mine)" in result.output
    assert f"Kubeflow: {kubeflow.host}/#/runs/details/{run_id}" in result.output
    assert f"pipeline run {run_id}" in result.output
    assert "data.train is the local path" in result.output
    assert kubeflow.things["experiments"][0]["display_name"] == "trials"


def test_submit_waits_for_the_decision(plimsoll, kubeflow, decide):
    """With --wait the steps are shown as they change, and the exit code is the decision's."""

    def decided(method, path, query, headers, body, answer=kubeflow.answer):
        if method == "GET" and path.startswith(f"{RUNS}/"):
            run_id = path.rpartition("/")[2]
            if not kubeflow.states:
                decide(run_id, "reject")
                details = {"task_details": [{"display_name": "prepare-data", "state": "SUCCEEDED"}]}
                kubeflow.states[run_id] = [{"state": "SUCCEEDED", "run_details": details}]
        return answer(method, path, query, headers, body)

    kubeflow.answer = decided
    result = plimsoll("submit", "config.yaml", "--wait")
    assert result.exit_code == 10, result.output
    assert "[cluster] prepare_data: succeeded" in result.output
    assert "REJECTED (decision reject)" in result.output


def test_a_dry_run_sends_nothing(plimsoll, kubeflow):
    """--dry-run prints JSON with the request; overrides are in it."""
    result = CliRunner().invoke(app, ["submit", "config.yaml", "--dry-run", "--set", "cluster.service_account=runner"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["POST /apis/v2beta1/runs"]["service_account"] == "runner"
    assert kubeflow.requests == []


@pytest.mark.parametrize(
    "command", [("submit",), ("submit", "--dry-run"), ("schedule", "--cron", "0 3 * * 1"), ("trigger",)]
)
def test_what_is_wrong_is_found_before_anything_is_sent(plimsoll, kubeflow, tracked_project, command):
    """A row that no run could train on stops every command; nothing is sent, and no run is claimed."""
    with tracked_project.data_path.open("a") as rows:
        rows.write('{"messages": [\n')
    refused = plimsoll(command[0], "config.yaml", *command[1:])
    assert isinstance(refused.exception, DataError)
    assert "task.jsonl:13" in str(refused.exception)
    assert kubeflow.requests == []
    assert not (tracked_project.folder / ".plimsoll/store/claims").exists()


@pytest.mark.parametrize("command", [("submit",), ("schedule", "--cron", "0 3 * * 1")])
def test_a_machine_without_the_data_can_leave_the_check_out(plimsoll, kubeflow, tracked_project, command):
    """With --no-check only config and policy are read here."""
    tracked_project.data_path.unlink()
    assert isinstance(plimsoll(command[0], "config.yaml", *command[1:]).exception, DataError)
    sent = plimsoll(command[0], "config.yaml", "--no-check", *command[1:])
    assert sent.exit_code == 0, sent.output
    assert kubeflow.things["runs"] or kubeflow.things["recurringruns"]


def test_the_token_of_the_environment_is_used(plimsoll, kubeflow, monkeypatch):
    """PLIMSOLL_KFP_TOKEN goes with every request and is printed nowhere."""
    monkeypatch.setenv("PLIMSOLL_KFP_TOKEN", "from-the-environment")
    kubeflow.accepted = "from-the-environment"
    result = plimsoll("submit", "config.yaml")
    assert result.exit_code == 0, result.output
    assert "from-the-environment" not in result.output


def test_no_server_is_one_error(plimsoll, monkeypatch):
    """Without a server the error says how to name one."""
    monkeypatch.delenv("KF_PIPELINES_ENDPOINT")
    result = plimsoll("submit", "config.yaml")
    assert isinstance(result.exception, ClusterError)


def test_a_schedule_is_made_listed_paused_and_deleted(plimsoll, kubeflow):
    """The name is the pipeline's; each step is said in a line."""
    made = plimsoll("schedule", "config.yaml", "--cron", "0 3 * * 1", "--tz", "UTC")
    assert made.exit_code == 0, made.output
    assert "made schedule small" in made.output
    (sent,) = kubeflow.sent("POST", "/apis/v2beta1/recurringruns")
    assert sent.body["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * 1"
    assert "replaced schedule small" in plimsoll("schedule", "config.yaml", "--cron", "0 4 * * 1").output
    assert "0 0 4 * * 1" in plimsoll("schedule", "config.yaml", "--list").output
    assert "is paused" in plimsoll("schedule", "config.yaml", "--pause").output
    assert "paused" in plimsoll("schedule", "config.yaml", "--list").output
    assert "is on again" in plimsoll("schedule", "config.yaml", "--resume").output
    assert "is deleted" in plimsoll("schedule", "config.yaml", "--delete").output
    assert "there are no schedules" in plimsoll("schedule", "config.yaml", "--list").output


def test_another_time_zone_is_refused_before_anything_is_sent(plimsoll, kubeflow):
    """--tz with a zone that the server does not read is an error with the expression to use, and nothing is sent."""
    refused = plimsoll("schedule", "config.yaml", "--cron", "0 3 * * 1", "--tz", "Asia/Tokyo")
    assert isinstance(refused.exception, ConfigError)
    assert "`--cron '0 18 * * 0'` is 03:00 Asia/Tokyo" in str(refused.exception)
    assert kubeflow.requests == []


def test_a_schedule_does_one_thing(plimsoll, kubeflow):
    """No action, or two, is wrong use."""
    for extra in ([], ["--list", "--pause"]):
        assert plimsoll("schedule", "config.yaml", *extra).exit_code == 2
    assert kubeflow.requests == []


def test_trigger_starts_what_is_due_once(plimsoll, kubeflow, decide):
    """First a run is due and is started, then it is under way, and when it was decided nothing is due."""
    first = plimsoll("trigger", "config.yaml")
    assert first.exit_code == 0, first.output
    assert "due: no run of pipeline small has been decided yet" in first.output
    run_id = kubeflow.things["runs"][0]["run_id"]
    assert f"started run {run_id}" in first.output
    second = plimsoll("trigger", "config.yaml")
    assert (second.exit_code, "is under way" in second.output) == (0, True)
    decide(run_id, "reject")
    third = plimsoll("trigger", "config.yaml")
    assert (third.exit_code, "nothing is due" in third.output) == (0, True)
    assert len(kubeflow.sent("POST", RUNS)) == 1
    forced = plimsoll("trigger", "config.yaml", "--force", "--reason", "a new driver")
    assert forced.exit_code == 0, forced.output
    assert len(kubeflow.sent("POST", RUNS)) == 2


def test_trigger_can_only_look(plimsoll, kubeflow, decide, monkeypatch):
    """--dry-run says what is due, starts nothing, and needs no server."""
    decide("20260501-a")
    monkeypatch.delenv("KF_PIPELINES_ENDPOINT")
    result = plimsoll("trigger", "config.yaml", "--dry-run", "--set", "recipe.max_steps=3")
    assert (result.exit_code, "due: the recipe changed" in result.output) == (0, True)
    assert kubeflow.requests == []


def test_a_forced_run_needs_a_reason(plimsoll, kubeflow):
    """--force without --reason, and the other way round, is wrong use."""
    assert plimsoll("trigger", "config.yaml", "--force").exit_code == 2
    assert plimsoll("trigger", "config.yaml", "--reason", "because").exit_code == 2
    assert kubeflow.requests == []
