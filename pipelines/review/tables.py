"""What a reviewer sees: the case, each item of the queue in panels, and what became of the review.

Prompts and answers come from outside: nothing in them is markup, and what could steer a terminal or reorder a line is
made visible. This module computes nothing.
"""

from collections.abc import Sequence

from components.shared.artifacts.decision import Registration
from components.shared.artifacts.human_review import JudgeAgreement, JudgedAnswer, QueueItem, Review, ReviewVerdict
from pipelines.printing import console, print_line
from pipelines.review.case import Case
from pipelines.running.tables import show_decision


def show_case(case: Case) -> None:
    """Prints the decision that asks for a review, and how much there is to look at."""
    show_decision(case.decision)
    print_line(f"to review: {_count(case)} of run {case.run.context.pipeline_run}")
    for category, left_out in _left_out(case.queue).items():
        print_line(f"  {category}: {left_out} more look worse, and were left out as less telling")


def show_item(item: QueueItem, place: int, of: int, given: ReviewVerdict | None = None) -> None:
    """Prints an item: the prompt, the base's answer and the adapter's, with what the judges say.

    Args:
        item: from the queue.
        place: its place in the queue, from 1.
        of: how many items there are.
        given: what the reviewer said already.
    """
    from rich.panel import Panel
    from rich.text import Text

    out = console()
    title = f"{place} of {of}: {item.category}, prompt {visible(item.prompt_id)}, sample {item.sample}"
    asked = [("system", item.system)] if item.system else []
    asked += [*((turn.role, turn.content) for turn in item.turns), ("user", item.prompt)]
    body = "\n".join(f"{role}: {visible(text)}" for role, text in asked)
    out.print()
    out.print(Panel(Text(body), title=Text(title), title_align="left", border_style="bold"))
    for side, answer, passed in (("base", item.before, item.passed_before), ("adapter", item.after, item.passed_after)):
        heading = f"{side}: {answer.verdict.value} ({passed} of {item.samples} answers pass)"
        panel = Panel(
            Text(visible(answer.answer) or "(nothing)"),
            title=Text(heading),
            title_align="left",
            subtitle=Text(_judges(answer)),
            subtitle_align="left",
        )
        out.print(panel)
    print_line(f"why: {'; '.join(why.value for why in item.why)}")
    if item.fresh is not None:
        again = item.fresh
        print_line(
            f"fresh answers: {again.passed_before} of {again.samples} pass before, {again.passed_after} of "
            f"{again.samples} after (Fisher p = {again.fisher_p:.2g})"
        )
    if given is not None:
        print_line(f"your verdict: {given.verdict.value if given.verdict else 'skipped'}{_remark(given.note)}")


def show_review(review: Review, registration: Registration | None) -> None:
    """Prints what was kept, how far judge and reviewer agree, and what became of the adapter."""
    print_line(review.summary)
    for own in review.agreement:
        print_line(f"  {_agreement(own)}")
    if registration is None:
        print_line("  nothing was registered; the decision stays needs_review")
        return
    before = f"; version {registration.replaces} is previous" if registration.replaces else ""
    print_line(f"  registered: models:/{registration.model_name}@champion is version {registration.version}{before}")


def visible(text: str) -> str:
    """A text from outside with its line breaks, and every other control or invisible character as its code."""
    return "".join(
        character if character.isprintable() or character == "\n" else f"<{ord(character):04x}>" for character in text
    )


def _judges(answer: JudgedAnswer) -> str:
    others = "".join(f"; {own.judge} says {own.verdict.value}: {own.reason}" for own in answer.opinions)
    return " ".join(visible(f"{answer.judge}: {answer.reason}{others}").split())


def _agreement(own: JudgeAgreement) -> str:
    return (
        f"{own.judge}: you agree on {own.agreed} of {own.answers} answers (kappa {_kappa(own.kappa)}); all reviews "
        f"together {own.agreed_so_far} of {own.answers_so_far} (kappa {_kappa(own.kappa_so_far)})"
    )


def _kappa(value: float | None) -> str:
    return f"{value:.2f}" if value is not None else "undefined"


def _remark(note: str) -> str:
    return f" ({visible(note)})" if note else ""


def _count(case: Case) -> str:
    return "1 answer" if len(case.queue) == 1 else f"{len(case.queue)} answers"


def _left_out(queue: Sequence[QueueItem]) -> dict[str, int]:
    """By category that asks, how many its items do not show."""
    found = {item.asks: item.found for item in queue}
    shown = {category: sum(item.asks == category for item in queue) for category in found}
    return {category: found[category] - shown[category] for category in found if found[category] > shown[category]}
