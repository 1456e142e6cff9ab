"""Reads a safety report with its rows, and checks both digests."""

from pathlib import Path
from typing import NamedTuple

from components.shared.artifacts.answer_rows import read_answers
from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.safety_report import SafetyReport


class LoadedReport(NamedTuple):
    """A safety report and its rows."""

    report: SafetyReport
    rows: tuple[AnswerRow, ...]


def load_report(directory: Path) -> LoadedReport:
    """The report in a directory.

    Raises:
        IntegrityError: report or rows were changed after they were written.
    """
    report = SafetyReport.load(directory / "safety_report.json")
    return LoadedReport(report, read_answers(directory / "answers.jsonl", report.answers_sha256))
