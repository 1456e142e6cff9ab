"""Asks a reviewer on the terminal: a verdict on each queued answer, then approval or refusal, and a reason.

Every verdict is kept in the draft at once; a reviewer who stops continues there next time.
"""

from typing import NamedTuple

import typer

from components.shared.artifacts.human_review import why_not_approvable
from pipelines.printing import print_line
from pipelines.review.case import ReviewCase
from pipelines.review.drafts import CHOICES, Draft, Verdicts, only_queued, verdict_on
from pipelines.review.settling import ReviewOutcome
from pipelines.review.tables import show_case, show_item

_QUIT = "quit"
_LATER = "later"


class ReviewAnswers(NamedTuple):
    """What a reviewer answered."""

    outcome: ReviewOutcome
    reason: str
    verdicts: Verdicts


def ask_reviewer(case: ReviewCase, draft: Draft) -> ReviewAnswers | None:
    """Shows each item that has no verdict yet, and asks; None where the reviewer stops to continue later."""
    show_case(case)
    if (problem := why_not_approvable(case.decision)) is not None:
        print_line(f"this run can be refused, not approved: {problem}")
    verdicts = only_queued(draft.read(), case.queue)
    if verdicts:
        print_line(f"continuing after {len(verdicts)} of {len(case.queue)} from {draft.path}")
    for place, item in enumerate(case.queue, start=1):
        if item.key in verdicts:
            continue
        show_item(item, place, len(case.queue))
        choice = _choose("the adapter's answer is", (*CHOICES, _QUIT))
        if choice == _QUIT:
            return None
        note = typer.prompt("remark (may be empty)", default="", show_default=False)
        verdicts[item.key] = verdict_on(item, choice, note.strip())
        draft.add(verdicts[item.key])
    choice = _choose("the adapter", ("refuse", _LATER) if problem is not None else ("approve", "refuse", _LATER))
    if choice == _LATER:
        return None
    reason = ""
    while not reason.strip():
        reason = typer.prompt("reason, in a sentence")
    return ReviewAnswers("approved" if choice == "approve" else "refused", reason, verdicts)


def _choose(question: str, choices: tuple[str, ...]) -> str:
    """One of the choices; its beginning is enough where no other begins alike."""
    while True:
        typed = str(typer.prompt(f"{question} [{'/'.join(choices)}]")).strip().lower()
        fitting = [choice for choice in choices if typed and choice.startswith(typed)]
        if typed in choices or len(fitting) == 1:
            return typed if typed in choices else fitting[0]
        print_line(f"{typed!r} is none of {', '.join(choices)}, or the beginning of more than one")
