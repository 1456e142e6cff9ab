"""`plimsoll rollback`: the champion goes back, and the audit log says why."""

import json

import pytest

from components.shared.audit import open_log, verify
from components.shared.tracking.runs import Tracker

APPROVE = ("--approve", "--reason", "They are harmless.")


@pytest.fixture
def two_versions(world, call):
    """Two runs whose adapters a review let in."""
    for run in ("run-1", "run-2"):
        world.decide(run)
        assert call("review", run, *APPROVE).code == 0
    return Tracker(world.context).client


def champion(client) -> str:
    return str(client.get_model_version_by_alias("toy", "champion").version)


def test_the_champion_goes_back_and_it_is_audited(world, call, two_versions):
    """Who and why are in the log of the run whose version was left; a second rollback has nowhere to go."""
    assert champion(two_versions) == "2"
    answer = call("rollback", "toy", "--name", "Grace", "--reason", "It helps with harm.")
    assert answer.code == 0
    assert "toy: version 1 is champion again, version 2 was left; there is no previous version" in answer.out
    assert champion(two_versions) == "1"
    log = open_log(world.tracking.audit_log)
    *_, entry = log.entries()
    assert (entry.event, entry.who, entry.why) == ("rollback", "Grace", "It helps with harm.")
    assert (entry.pipeline, entry.pipeline_run) == ("toy", "run-2")
    assert entry.facts == {"model_name": "toy", "left": "2", "champion": "1", "previous": "none"}
    assert verify(log) == []

    answer = call("rollback", "toy", "--reason", "Again.")
    assert answer.code == 2
    assert "there is nothing to go back to" in answer.err
    answer = call("rollback", "toy", "--to", "2", "--reason", "It was the data.", "--json")
    content = json.loads(answer.out)
    assert (content["champion"], content["previous"], content["who"]) == ("2", "1", "Ada")
    assert champion(two_versions) == "2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("toy",), "say in a sentence why the champion is taken back"),
        (("toy", "--reason", " "), "say in a sentence why the champion is taken back"),
        (("other", "--reason", "x"), "registered model 'other' has no champion"),
    ],
)
def test_wrong_use_is_said(world, call, arguments: tuple[str, ...], message: str):
    """Exit code 2 and one message."""
    answer = call("rollback", *arguments)
    assert answer.code == 2
    assert message in " ".join(answer.err.replace("│", " ").split())
