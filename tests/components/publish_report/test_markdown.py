"""The report that people read."""

from components.publish_report.markdown import report_markdown
from components.shared.artifacts.decision import RunReport


def report(**changes: object) -> RunReport:
    fields = {"pipeline": "toy", "pipeline_run": "run-1", "mlflow_run_id": "abc", "status": "finished"}
    return RunReport(**{**fields, **changes})


def test_a_decision_is_shown_with_table_sentences_and_claims(build):
    """Summary, one row per category, why, and what the verdict does not claim."""
    gate = build.gate_decision()
    text = report_markdown(report(gate=gate, model_name="toy", model_version="3"))
    lines = text.splitlines()
    assert lines[0] == "# toy \u00b7 run-1"
    assert lines[2] == f"**{gate.summary}**"
    assert "Registered as `toy` version 3, alias `champion`." in lines
    assert "| direct | 100 | 95.0 % | 94.0 % | +1.0 pp (-1.0 to +3.0) | <= 10 pp | promote |" in lines
    assert "- direct: nothing changed." in lines
    assert "does not claim that the model is safe" in text
    assert "Policy toy 1, digest `sha256:01`; adapter `sha256:02`; contract `sha256:03`." in lines


def test_problems_are_listed(build):
    """An invalid run lists every broken precondition."""
    text = report_markdown(report(gate=build.gate_decision("invalid", problems=("one", "two"))))
    assert "- invalid: one\n- invalid: two\n" in text
    assert "Registered" not in text


def test_a_failure_names_stage_and_error():
    """A run that reached no decision says where it stopped."""
    text = report_markdown(report(status="failed", failed_stage="finetune_lora", error="out of memory"))
    assert "**FAILED**, no decision was reached." in text
    assert "The run failed in `finetune_lora`: out of memory" in text


def test_a_failure_outside_any_stage():
    """A pipeline that failed before its first stage has no stage to name."""
    assert "The run killed: stopped" in report_markdown(report(status="killed", error="stopped"))
