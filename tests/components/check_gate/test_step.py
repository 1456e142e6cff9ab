"""The gate as a step: evidence on disk in, decision on disk and on the runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.shared.artifacts.decision import Decision, GateDecision
from components.shared.artifacts.gate_calibration import (
    CALIBRATION_TAG,
    CategoryResponse,
    GateCalibration,
    Mutant,
    keep_calibration,
)
from components.shared.audit import AUDIT_TAG, open_log
from components.shared.config.policy import Policy
from components.shared.config.policy_rules import CategoryRule, Waiver
from components.shared.config.run_context import RunContext
from components.shared.errors import IntegrityError
from components.shared.generation.adapters import adapter_digest
from components.shared.store import FOLLOW_UP_KIND
from components.shared.tracking.runs import Tracker


def run(world, context: RunContext, key: str | None = None) -> GateDecision:
    return world.check_gate(context, key)


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
    assert len(decision.cautions) == 2
    said = "".join(f"caution: {caution}\n" for caution in decision.cautions)
    assert parent.read_text("decision.txt") == f"{decision.summary}\n{said}"
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


@pytest.mark.parametrize(("broken", "weights"), [(0, False), (30, True)])
def test_everything_that_the_decision_rests_on_is_kept(
    tmp_path: Path, build, context: RunContext, broken: int, weights: bool
):
    """The run holds every artifact and row byte by byte; the adapter's weights only where no version will hold them."""
    world = build.world(tmp_path, broken=broken)
    run(world, context)
    tracker = Tracker(context)
    kept = tmp_path / "kept"
    kept.mkdir()
    tracker.client.download_artifacts(tracker.parent().run_id, "evidence", str(kept))
    for name, source in {
        "training_data.json": "data/training_data.json",
        "prompts.jsonl": "prompts/prompts.jsonl",
        "baseline/answers.jsonl": "baseline/answers.jsonl",
        "post/safety_report.json": "post/safety_report.json",
        "delta_report.json": "delta/delta_report.json",
        "follow_up/follow_up_report.json": "follow_up/follow_up_report.json",
        "adapter/manifest.json": "adapter/manifest.json",
        "gate_decision.json": "decision/gate_decision.json",
    }.items():
        assert (kept / "evidence" / name).read_bytes() == (tmp_path / source).read_bytes()
    assert Policy.model_validate_json((kept / "evidence" / "policy.json").read_text()) == world.policy
    assert (kept / "evidence" / "adapter" / "adapter_model.safetensors").exists() is weights


def test_decision_and_waiver_are_audited(tmp_path: Path, build, context: RunContext):
    """The log says what was decided and what was waived, and the run names the log's entry."""
    today = datetime.now(UTC).date()
    days = {"granted": today - timedelta(days=1), "expires": today + timedelta(days=1)}
    waiver = Waiver(name="Ada", reason="the suite grows next month", **days)
    rules = {"direct": CategoryRule(rule="margin", limit_pp=1.0)}
    policy = build.policy(categories=rules, on_insufficient_evidence="waive", waiver=waiver)
    decision = run(build.world(tmp_path, policy), context)
    assert decision.decision is Decision.PROMOTE
    entries = [*open_log(context.tracking.audit_log).entries()][-2:]
    assert [entry.event for entry in entries] == ["waiver", "decided"]
    assert entries[0].facts["category"] == "direct"
    assert entries[1].facts["decision_digest"] == decision.digest
    assert Tracker(context).parent().read_tags()[AUDIT_TAG] == entries[1].digest


def test_attempts_on_one_base_and_task_are_counted(tmp_path: Path, build, context: RunContext):
    """The second decided run on the same base and task says that it is the second."""
    world = build.world(tmp_path)
    assert run(world, context).attempt == 1
    assert run(world, context._replace(pipeline_run="run-2")).attempt == 2


def test_a_known_calibration_is_quoted(tmp_path: Path, build, context: RunContext):
    """Where this gate was calibrated on these suites, judges, base and policy, the run says what it catches."""
    world = build.world(tmp_path)
    predicted = {Decision.REJECT: 1.0}
    response = CategoryResponse(true_drop_pp=12.0, error_pp=0.5, decision=Decision.REJECT, predicted=predicted)
    mutant = Mutant(
        bad=1.0,
        good=0.0,
        adapter_digest="sha256:0a",
        seed=0,
        truth_answers=15,
        worst="direct",
        decision=Decision.REJECT,
        summary="REJECTED",
        predicted=predicted,
        categories={"direct": response},
    )
    known = GateCalibration(
        pipeline="toy",
        base_name="toy-base",
        base_digest=world.evidence.post.base_digest,
        policy_name="toy",
        policy_version="1",
        policy_digest=world.policy.digest,
        contract=world.evidence.post.contract,
        gated=("direct",),
        limit_pp=10.0,
        truth_answers=15,
        simulations=10,
        seconds=1.0,
        mutants=(mutant,),
    )
    keep_calibration(world.store, known)
    run(world, context)
    assert "would have caught a drop" in Tracker(context).parent().read_tags()[CALIBRATION_TAG]
    run(build.world(tmp_path / "other"), context._replace(pipeline_run="run-2"))
    assert CALIBRATION_TAG not in Tracker(context._replace(pipeline_run="run-2")).parent().read_tags()


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
    world = build.world(tmp_path, broken=7)
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
