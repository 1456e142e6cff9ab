"""Writes the report of a pipeline run, finished or failed, and ends its MLflow run.

An exit handler cannot receive artifacts, so everything is read from the MLflow run and its stages.
"""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from components.publish_report.figure import drop_figure
from components.publish_report.markdown import report_markdown
from components.shared.artifacts.artifact import Artifact
from components.shared.artifacts.comparison import DeltaReport, FollowUpReport
from components.shared.artifacts.decision import GateDecision, RunReport
from components.shared.artifacts.gate_calibration import CALIBRATION_TAG
from components.shared.artifacts.training_data import AdapterManifest
from components.shared.config.run_context import RunContext
from components.shared.errors import TrackingError
from components.shared.tracking.runs import AFTER_ERROR_S, Status, Tracker
from components.shared.tracking.stage_run import StageRun

STAGE = "publish_report"
REPORT_FILE = "run_report.json"
_ENDINGS: dict[str, Status] = {"finished": "FINISHED", "killed": "KILLED", "failed": "FAILED"}
_Kind = TypeVar("_Kind", bound=Artifact)


def publish_report(pipeline_state: str, context: RunContext) -> RunReport:
    """Writes run_report.json, report.md and the figure to the parent run, and ends it.

    Args:
        pipeline_state: KFP's final state of the other steps: SUCCEEDED, FAILED or CANCELLED.
        context: the pipeline run.

    Raises:
        IntegrityError: an artifact of the MLflow run was changed.
        TrackingError: MLflow does not answer.
    """
    tracker = Tracker(context)
    try:
        with tracker.stage(STAGE) as stage:
            report = build_report(tracker, pipeline_state)
            parent = tracker.parent(stage.say)
            _publish(parent, report)
            stage.say(f"the report is in run {parent.run_id}")
    except BaseException:
        with suppress(TrackingError):  # the report's error is the one to raise
            Tracker(context, AFTER_ERROR_S).close("FAILED")
        raise
    tracker.close(_ENDINGS[report.status])
    return report


def build_report(tracker: Tracker, pipeline_state: str) -> RunReport:
    """The report of a pipeline run, from its MLflow runs.

    Args:
        tracker: of the pipeline run.
        pipeline_state: SUCCEEDED, FAILED or CANCELLED; anything but SUCCEEDED counts as a failure.
    """
    parent = tracker.parent()
    failures = tracker.failures()
    gate = _logged(parent, GateDecision, "gate_decision.json")
    delta = _logged(parent, DeltaReport, "delta_report.json")
    follow_up = _logged(parent, FollowUpReport, "evidence/follow_up/follow_up_report.json")
    manifest = _logged(parent, AdapterManifest, "evidence/adapter/manifest.json")
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
        gate=gate,
        metrics=delta.metrics if delta is not None else (),
        judge_checks=delta.judge_checks if delta is not None else (),
        variants=follow_up.variants if follow_up is not None else (),
        ancestry=delta.ancestry if delta is not None else None,
        calibration=tags.get(CALIBRATION_TAG, ""),
        learnt=manifest.learnt if manifest is not None else None,
        model_name=tags.get("plimsoll.registered_model"),
        model_version=tags.get("plimsoll.registered_version"),
    )


def _logged(parent: StageRun, kind: type[_Kind], name: str) -> _Kind | None:
    text = parent.read_text(name)
    return kind.parse(text, name) if text is not None else None


def _publish(parent: StageRun, report: RunReport) -> None:
    with TemporaryDirectory() as directory:
        parent.file(report.save(Path(directory) / REPORT_FILE))
        if report.gate is not None and report.gate.reasons:
            figure = Path(directory) / "drops.png"
            drop_figure(report.gate, figure, report.note)
            parent.file(figure)
    markdown = report_markdown(report)
    parent.text(markdown, "report.md")
    parent.tags({"plimsoll.status": report.status, "mlflow.note.content": markdown})
    if report.error is not None:
        parent.tags({"plimsoll.failed_stage": report.failed_stage or "", "plimsoll.error": report.error})
