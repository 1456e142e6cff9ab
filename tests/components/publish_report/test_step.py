"""The end of every run, also of a failed one."""

from pathlib import Path

import pytest

from components.publish_report.step import build_report, publish_report
from components.shared.artifacts.decision import GateDecision, RunReport
from components.shared.config.run_context import RunContext
from components.shared.errors import IntegrityError
from components.shared.tracking.runs import Tracker


def decided(tracker: Tracker, gate: GateDecision, directory: Path) -> None:
    with tracker.stage("check_gate"):
        tracker.parent().file(gate.save(directory / "gate_decision.json"))


def fail(tracker: Tracker, stage: str, error: BaseException) -> None:
    with pytest.raises(type(error)), tracker.stage(stage):
        raise error


def artifacts(tracker: Tracker) -> set[str]:
    return {entry.path for entry in tracker.client.list_artifacts(tracker.parent().run_id)}


def test_a_finished_run_is_published_and_closed(tracker: Tracker, context: RunContext, tmp_path: Path, build):
    """Report, table and figure are on the parent, which is FINISHED."""
    gate = build.gate_decision()
    decided(tracker, gate, tmp_path)
    tracker.parent().tags({"plimsoll.registered_model": "toy", "plimsoll.registered_version": "3"})
    report = publish_report("SUCCEEDED", context)
    assert (report.status, report.gate, report.error) == ("finished", gate, None)
    assert (report.model_name, report.model_version) == ("toy", "3")
    assert artifacts(tracker) == {"gate_decision.json", "run_report.json", "drops.png", "report.md"}
    assert RunReport.parse(str(tracker.parent().read_text("run_report.json")), "run") == report
    assert tracker.parent().read_tags()["plimsoll.status"] == "finished"
    assert tracker.parent_status() == "FINISHED"


def test_a_rejected_run_is_finished(tracker: Tracker, context: RunContext, tmp_path: Path, build):
    """A decision against the adapter is a success of the pipeline."""
    decided(tracker, build.gate_decision("reject"), tmp_path)
    assert publish_report("SUCCEEDED", context).status == "finished"
    assert tracker.parent_status() == "FINISHED"


def test_a_failed_stage_is_named(tracker: Tracker, context: RunContext):
    """Without a decision the report says which stage failed and why; the parent is FAILED."""
    fail(tracker, "finetune_lora", ValueError("no GPU"))
    report = publish_report("FAILED", context)
    assert (report.status, report.failed_stage, report.error, report.gate) == (
        "failed",
        "finetune_lora",
        "no GPU",
        None,
    )
    assert artifacts(tracker) == {"run_report.json", "report.md"}
    tags = tracker.parent().read_tags()
    assert (tags["plimsoll.failed_stage"], tags["plimsoll.error"]) == ("finetune_lora", "no GPU")
    assert tracker.parent_status() == "FAILED"


def test_a_failure_after_the_decision_keeps_the_decision(tracker: Tracker, tmp_path: Path, build):
    """A registry that was down is a failed run with a decision to promote and no version."""
    gate = build.gate_decision()
    decided(tracker, gate, tmp_path)
    fail(tracker, "register_adapter", RuntimeError("registry down"))
    report = build_report(tracker, "SUCCEEDED")
    assert (report.status, report.gate, report.model_version) == ("failed", gate, None)


def test_a_pipeline_that_failed_outside_its_stages_says_so(tracker: Tracker, context: RunContext):
    """A pod that never started leaves no failed stage; the run failed all the same."""
    report = publish_report("FAILED", context)
    assert (report.status, report.failed_stage, report.error) == ("failed", None, "the pipeline ended as FAILED")


def test_a_retry_that_finished_is_a_finished_run(tracker: Tracker, tmp_path: Path, build):
    """The attempt before it does not turn a successful pipeline into a failed one."""
    fail(tracker, "check_gate", ValueError("no connection"))
    decided(tracker, build.gate_decision(), tmp_path)
    assert build_report(tracker, "SUCCEEDED").status == "finished"


@pytest.mark.parametrize("state", ["CANCELLED", "FAILED"])
def test_an_interrupted_run_is_killed(tracker: Tracker, context: RunContext, state: str):
    """A stage that was told to stop makes the run killed, not failed."""
    fail(tracker, "finetune_lora", KeyboardInterrupt())
    report = publish_report(state, context)
    assert (report.status, report.error) == ("killed", "KeyboardInterrupt")
    assert tracker.parent_status() == "KILLED"


def test_a_changed_decision_is_not_published(tracker: Tracker, context: RunContext, tmp_path: Path, build):
    """A decision that was edited on the run fails the report, and the run is closed all the same."""
    path = build.gate_decision("reject").save(tmp_path / "gate_decision.json")
    path.write_text(path.read_text().replace('"decision": "reject"', '"decision": "promote"'))
    tracker.parent().file(path)
    with pytest.raises(IntegrityError, match="changed afterwards"):
        publish_report("SUCCEEDED", context)
    assert tracker.parent_status() == "FAILED"


def test_what_was_learnt_is_read_from_the_evidence(tracker: Tracker, context: RunContext, tmp_path: Path, build):
    """The manifest beside the decision says it; the report shows its row."""
    decided(tracker, build.gate_decision(), tmp_path)
    learnt = build.learnt_tokens()
    manifest = build.manifest("sha256:2", learnt=learnt).save(tmp_path / "manifest.json")
    tracker.parent().file(manifest, "evidence/adapter")
    assert publish_report("SUCCEEDED", context).learnt == learnt
    assert "    ⟦Hi.<|end|>⟧" in str(tracker.parent().read_text("report.md"))
