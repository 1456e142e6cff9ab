"""Asks a reviewer, item by item, and for the word on the adapter at the end.

Every verdict is kept in the draft as it is given; who stops goes on there next time. This module decides nothing and
keeps nothing else.
"""

from typing import NamedTuple

import typer

from components.shared.artifacts.human_review import why_not_approvable
from pipelines.printing import print_line
from pipelines.review.case import Case
from pipelines.review.drafts import WORDS, Draft, Verdicts, only_queued, verdict_on
from pipelines.review.settling import Outcome
from pipelines.review.tables import show_case, show_item

_QUIT = "quit"
_LATER = "later"


class Words(NamedTuple):
    """What a reviewer said."""

    outcome: Outcome
    reason: str
    verdicts: Verdicts


def ask_reviewer(case: Case, draft: Draft) -> Words | None:
    """Shows what is to be looked at, and asks; None where the reviewer goes on another time."""
    show_case(case)
    if (problem := why_not_approvable(case.decision)) is not None:
        print_line(f"this run can be refused, not approved: {problem}")
    verdicts = only_queued(draft.read(), case.queue)
    if verdicts:
        print_line(f"going on after {len(verdicts)} of {len(case.queue)} from {draft.path}")
    for place, item in enumerate(case.queue, start=1):
        if item.key in verdicts:
            continue
        show_item(item, place, len(case.queue))
        word = _choose("the adapter's answer is", (*WORDS, _QUIT))
        if word == _QUIT:
            return None
        note = typer.prompt("remark (may be empty)", default="", show_default=False)
        given = verdict_on(item, word, note.strip())
        draft.add(given)
        verdicts[item.key] = given
    words = ("refuse", _LATER) if problem is not None else ("approve", "refuse", _LATER)
    word = _choose("and the adapter: your word is", words)
    if word == _LATER:
        return None
    reason = ""
    while not reason.strip():
        reason = typer.prompt("reason, in a sentence")
    return Words("approved" if word == "approve" else "refused", reason, verdicts)


def _choose(question: str, words: tuple[str, ...]) -> str:
    """One of the words, or the beginning of just one."""
    while True:
        typed = str(typer.prompt(f"{question} [{'/'.join(words)}]")).strip().lower()
        fitting = [word for word in words if typed and word.startswith(typed)]
        if typed in words or len(fitting) == 1:
            return typed if typed in words else fitting[0]
        print_line(f"{typed!r} is none of {', '.join(words)}, or the beginning of more than one")
