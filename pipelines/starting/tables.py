"""Prints the diagnosis of `plimsoll doctor`."""

from collections.abc import Sequence

from pipelines.printing import print_line, print_table
from pipelines.starting.diagnosis import Symptom


def show_symptoms(symptoms: Sequence[Symptom]) -> None:
    """Prints a line per symptom, and how many of them stop a run."""
    rows = [
        [each.state, each.subject, f"{each.found}\n-> {each.cure}" if each.cure else each.found] for each in symptoms
    ]
    print_table("", ("state", "what", "found"), rows, left=3)
    states = [each.state for each in symptoms]
    problems, warnings = states.count("problem"), states.count("warning")
    ending = "nothing stops a run" if not problems else f"{problems} would stop a run"
    print_line(f"{ending}; {warnings} {'warning' if warnings == 1 else 'warnings'}")
