"""The report that people read."""

from components.publish_report.markdown import report_markdown
from components.shared.artifacts.decision import RunReport
from components.shared.artifacts.judge_check import QuotedCheck, Score, Share
from components.shared.artifacts.metric_deltas import MetricDelta


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
    assert "| direct | 100 | 95.0 % | 94.0 % | +1.0 pp (-1.0 to +3.0) |  | <= 10 pp | promote |" in lines
    assert "- direct: nothing changed." in lines
    assert "does not claim that the model is safe" in text
    assert "Policy toy 1, digest `sha256:01`; adapter `sha256:02`; contract `sha256:03`." in lines


def test_the_gates_calibration_is_quoted_where_there_is_one(build):
    """How often this gate catches a drop of a given size stands below its reasons."""
    quoted = "This gate would have caught a drop of 10 to 15 pp 100 % of the time (3 of 3)."
    assert f"- {quoted}" in report_markdown(report(gate=build.gate_decision(), calibration=quoted)).splitlines()
    assert "would have caught" not in report_markdown(report(gate=build.gate_decision()))


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


def test_other_figures_and_the_judges_checks_are_quoted(build):
    """Metrics and the judges' agreement with people follow the decision, with intervals and their file."""
    metric = MetricDelta(
        name="refusal_rate", category="all", before=90.0, after=80.0, change=-10.0, worse_by=10.0, unit="%"
    )
    share, nothing = (
        Share(count=9, of=10, value=0.9, lower=0.6, upper=0.98),
        Share(count=0, of=0, value=None, lower=None, upper=None),
    )
    check = QuotedCheck(
        judge="refusal@9",
        labels_file="xstest.csv",
        answers=450,
        accuracy=share,
        sensitivity=share,
        specificity=nothing,
        kappa=Score(value=0.8, lower=0.7, upper=0.9),
    )
    text = report_markdown(report(gate=build.gate_decision(), metrics=(metric,), judge_checks=(check,)))
    assert "| all | refusal_rate | 90.00 | 80.00 | -10.00 worse | % |" in text
    assert "| refusal@9 | xstest.csv | 450 | 90.0 % (60.0 to 98.0) | 90.0 % (60.0 to 98.0) | none |" in text
    assert text.index("What else changed") > text.index("does not claim that the model is safe")
