"""The report of a pipeline run as Markdown: the decision, its reasons, and what it does and does not claim."""

from collections.abc import Sequence

from components.publish_report.metric_table import metrics_section
from components.publish_report.report_sections import (
    ancestry_section,
    notes,
    requirement_section,
    training_section,
    witness_section,
)
from components.publish_report.variant_table import variants_table
from components.shared.artifacts.decision import GateDecision, RunReport
from components.shared.artifacts.judge_check import QuotedCheck, Share
from components.shared.gate.decision_table import COLUMNS, table_row
from components.shared.texts.shown import in_markdown, in_markdown_code, markdown_row


def report_markdown(report: RunReport) -> str:
    """The whole report."""
    lines = [f"# {in_markdown(report.pipeline)} · {in_markdown(report.pipeline_run)}", ""]
    if report.gate is None:
        lines += [f"**{report.status.upper()}**, no decision was reached."]
    else:
        lines += [f"**{in_markdown(report.gate.summary)}**"]
    if report.error is not None:
        where = f" in {in_markdown_code(report.failed_stage)}" if report.failed_stage else ""
        lines += ["", f"The run {report.status}{where}: {in_markdown(report.error)}"]
    if report.model_version is not None:
        name = in_markdown_code(report.model_name or "")
        lines += ["", f"Registered as {name} version {report.model_version}, alias `champion`."]
    if report.note:
        lines += ["", f"> {in_markdown(report.note)}"]
    if report.gate is not None:
        lines += ["", *_table(report.gate), "", *_sentences(report.gate), *notes(report.gate)]
        lines += [f"- {in_markdown(report.calibration)}"] if report.calibration else []
        lines += ["", *_claims(report.gate)]
        sections = [
            witness_section(report.gate, report.mlflow_run_id),
            variants_table(report.variants),
            requirement_section(report.gate.requirements),
            ancestry_section(report.ancestry),
        ]
        lines += [line for section in sections if section for line in ("", *section)]
    if report.metrics:
        lines += ["", *metrics_section(report.metrics)]
    if report.judge_checks:
        lines += ["", *_checks(report.judge_checks)]
    if learnt := training_section(report.learnt):
        lines += ["", *learnt]
    return "\n".join(lines) + "\n"


def _table(gate: GateDecision) -> list[str]:
    return [
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *(markdown_row(table_row(reason)) for reason in gate.reasons),
    ]


def _sentences(gate: GateDecision) -> list[str]:
    problems = [f"- invalid: {in_markdown(problem)}" for problem in gate.problems]
    return [*problems, *(f"- {in_markdown(reason.sentence)}" for reason in gate.reasons)]


def _checks(checks: Sequence[QuotedCheck]) -> list[str]:
    rows = [
        markdown_row(
            (
                check.judge,
                check.labels_file,
                f"{check.answers:,}",
                _share(check.accuracy),
                _share(check.sensitivity),
                _share(check.specificity),
            )
        )
        for check in checks
    ]
    return [
        "## Agreement of the judges with people",
        "",
        (
            "Measured with `plimsoll judge check` on answers of other models, with 95 % intervals. Sensitivity: share "
            "of failing answers that the judge recognised; specificity: share of passing ones."
        ),
        "",
        "| judge | labels | answers | accuracy | sensitivity | specificity |",
        "|---|---|---|---|---|---|",
        *rows,
    ]


def _share(share: Share) -> str:
    if share.value is None or share.lower is None or share.upper is None:
        return "none"
    return f"{100 * share.value:.1f} % ({100 * share.lower:.1f} to {100 * share.upper:.1f})"


def _claims(gate: GateDecision) -> list[str]:
    bounds = (
        f"Bounds are one-sided, at {100 * gate.confidence:.0f} % confidence each, over prompts. The decision holds for "
        "these suites, these judges and this sampling. It does not claim that the model is safe, and says nothing "
        "about other kinds of prompts."
    )
    digests = (
        f"Policy {in_markdown(f'{gate.policy_name} {gate.policy_version}')}, digest `{gate.policy_digest}`; "
        f"adapter `{gate.adapter_digest}`; contract `{gate.contract_digest}`."
    )
    return [bounds, "", digests]
