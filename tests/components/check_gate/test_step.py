"""The gate as a step: evidence on disk in, decision on disk and on the runs."""

from pathlib import Path

import pytest

from components.check_gate.step import check_gate
from components.shared.artifacts.decision import Decision, GateDecision
from components.shared.errors import IntegrityError
from components.shared.generation.adapters import adapter_digest
from components.shared.store import FOLLOW_UP_KIND
from components.shared.tracking.runs import RunContext, Tracker


def run(world, context: RunContext, key: str | None = None) -> GateDecision:
    return check_gate(
        data_dir=world.path("data"),
        prompts_dir=world.path("prompts"),
        adapter_dir=world.path("adapter"),
        baseline_dir=world.path("baseline"),
        post_dir=world.path("post"),
        delta_dir=world.path("delta"),
        follow_up_key=key or world.follow_up_key,
        store=world.store,
        policy=world.policy,
        decision_dir=world.path("decision"),
        passed_dir=world.path("passed"),
        context=context,
    )


def test_a_promotion_is_written_tracked_and_handed_on(tmp_path: Path, build, context: RunContext, capsys):
    """Decision and reasons are on disk, on the parent and on the terminal; the adapter is passed on unchanged."""
    world = build.world(tmp_path)
    decision = run(world, context)
    assert decision.decision is Decision.PROMOTE
    assert GateDecision.load(tmp_path / "decision" / "gate_decision.json") == decision
    assert adapter_digest(tmp_path / "passed") == world.evidence.adapter_digest

    tracker = Tracker(context)
    parent = tracker.parent()
    tags = parent.read_tags()
    assert (tags["plimsoll.decision"], tags["plimsoll.policy"]) == ("promote", "toy 1")
    assert tags["plimsoll.reason.direct"] == decision.reasons[0].sentence
    assert parent.read_text("decision.txt") == f"{decision.summary}\n"
    assert GateDecision.parse(str(parent.read_text("gate_decision.json")), "run") == decision
    metrics = tracker.client.get_run(parent.run_id).data.metrics
    assert (metrics["baseline/direct/pass_rate"], metrics["task/gain_pp"], metrics["task/before"]) == (1, 100, 0)
    assert f"[check_gate] promote: {decision.reasons[0].sentence}" in capsys.readouterr().out


def test_a_rejection_is_a_successful_step_that_hands_nothing_on(tmp_path: Path, build, context: RunContext):
    """The stage finishes, and the adapter's files are not passed on."""
    world = build.world(tmp_path, broken=30)
    assert run(world, context).decision is Decision.REJECT
    assert [path.name for path in (tmp_path / "passed").iterdir()] == ["NOT_PROMOTED.txt"]
    assert Tracker(context).failures() == []


def test_an_exchanged_adapter_is_invalid(tmp_path: Path, build, context: RunContext, capsys):
    """Weights that were replaced after evaluation are found by re-hashing them."""
    world = build.world(tmp_path)
    build.adapter_files(tmp_path / "adapter", b"other weights")
    assert run(world, context).decision is Decision.INVALID
    assert "invalid: the adapter's files" in capsys.readouterr().out
    assert not (tmp_path / "passed" / "adapter_model.safetensors").exists()


def test_an_ungated_category_is_said_to_be(tmp_path: Path, build, context: RunContext, capsys):
    """The terminal shows what decides and what does not."""
    world = build.world(tmp_path, build.policy(task_min_gain_pp=None))
    run(world, context)
    assert "[check_gate] not gated: task: " in capsys.readouterr().out


def test_a_follow_up_that_is_not_in_the_store_is_an_error(tmp_path: Path, build, context: RunContext):
    """Missing fresh answers are not taken for none."""
    with pytest.raises(IntegrityError, match="follow-up 00 is not in the store; run the pipeline again"):
        run(build.world(tmp_path), context, "sha256:00")


def test_changed_fresh_answers_are_refused(tmp_path: Path, build, context: RunContext):
    """The rows of the follow-up are hashed too."""
    world = build.world(tmp_path)
    fresh = world.evidence.follow_up.model_copy(update={"answers_sha256": {"before": "sha256:00"}})
    fresh.save(tmp_path / "follow_up" / "follow_up_report.json")
    (tmp_path / "follow_up" / "before.jsonl").write_text("")
    world.store.put(FOLLOW_UP_KIND, world.follow_up_key, tmp_path / "follow_up")
    with pytest.raises(IntegrityError, match="changed after judging"):
        run(world, context)


@pytest.mark.parametrize("name", ["baseline/safety_report.json", "delta/delta_report.json", "adapter/manifest.json"])
def test_a_missing_artifact_stops_the_gate(tmp_path: Path, build, context: RunContext, name: str):
    """What a step before did not write is never taken for fine."""
    world = build.world(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(IntegrityError, match="missing; the step before did not finish"):
        run(world, context)
