"""The last step of every run, also of a failed one: the report that people read, and the end of the MLflow run.

It gets no artifact, because an exit handler cannot: what it knows is on the MLflow parent and its stages. It
changes no decision.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from components.publish_report.figure import drop_figure
from components.publish_report.markdown import report_markdown
from components.shared.artifacts.comparison import DeltaReport, FollowUpReport
from components.shared.artifacts.decision import GateDecision, RunReport
from components.shared.artifacts.gate_calibration import CALIBRATION_TAG
from components.shared.config.run_context import RunContext
from components.shared.tracking.runs import Status, Tracker
from components.shared.tracking.stage_run import StageRun

STAGE = "publish_report"
REPORT_FILE = "run_report.json"


def publish_report(pipeline_state: str, context: RunContext) -> RunReport:
    """Writes run_report.json, report.md and the figure to the parent run, and ends it.

    Args:
        pipeline_state: KFP's final state of the steps before: SUCCEEDED, FAILED or CANCELLED.
        context: the pipeline run.

    Raises:
        IntegrityError: the decision on the run was changed.
    """
    tracker = Tracker(context)
    status: Status = "FAILED"
    try:
        with tracker.stage(STAGE) as stage:
            report = build_report(tracker, pipeline_state)
            parent = tracker.parent(stage.say)
            _publish(parent, report)
            stage.say(f"the report is in run {parent.run_id}")
        if report.status != "failed":
            status = "FINISHED" if report.status == "finished" else "KILLED"
    finally:
        tracker.close(status)
    return report


def build_report(tracker: Tracker, pipeline_state: str) -> RunReport:
    """How a run ended, as its MLflow runs tell it.

    Args:
        tracker: the run's store.
        pipeline_state: SUCCEEDED, FAILED or CANCELLED; anything but SUCCEEDED is a run without success.
    """
    parent = tracker.parent()
    failures = tracker.failures()
    text = parent.read_text("gate_decision.json")
    delta = parent.read_text("delta_report.json")
    compared = DeltaReport.parse(delta, "delta_report.json") if delta is not None else None
    asked = parent.read_text("evidence/follow_up/follow_up_report.json")
    followed_up = FollowUpReport.parse(asked, "follow_up_report.json") if asked is not None else None
    tags = parent.read_tags()
    succeeded = pipeline_state == "SUCCEEDED" and not failures
    killed = pipeline_state == "CANCELLED" or any(failure.kind == "KILLED" for failure in failures)
    error = failures[0].message if failures else f"the pipeline ended as {pipeline_state}"
    return RunReport(
        pipeline=tracker.context.pipeline,
        pipeline_run=tracker.context.pipeline_run,
        mlflow_run_id=parent.run_id,
        status="finished" if succeeded else "killed" if killed else "failed",
        failed_stage=failures[0].stage if failures else None,
        error=None if succeeded else error,
        note=tags.get("plimsoll.note", ""),
        gate=GateDecision.parse(text, "gate_decision.json") if text is not None else None,
        metrics=compared.metrics if compared is not None else (),
        judge_checks=compared.judge_checks if compared is not None else (),
        variants=followed_up.variants if followed_up is not None else (),
        ancestry=compared.ancestry if compared is not None else None,
        calibration=tags.get(CALIBRATION_TAG, ""),
        model_name=tags.get("plimsoll.registered_model"),
        model_version=tags.get("plimsoll.registered_version"),
    )


def _publish(parent: StageRun, report: RunReport) -> None:
    with TemporaryDirectory() as directory:
        parent.file(report.save(Path(directory) / REPORT_FILE))
        if report.gate is not None and report.gate.reasons:
            figure = Path(directory) / "drops.png"
            drop_figure(report.gate, figure, report.note)
            parent.file(figure)
    parent.text(report_markdown(report), "report.md")
    parent.tags({"plimsoll.status": report.status, "mlflow.note.content": report_markdown(report)})
    if report.error is not None:
        parent.tags({"plimsoll.failed_stage": report.failed_stage or "", "plimsoll.error": report.error})
