"""Prints a review: the case, each item of the queue in panels, and the result.

Prompts and answers come from outside: nothing in them is markup, and characters that control a terminal or reorder a
line are made visible.
"""

from collections import Counter
from collections.abc import Sequence

from components.shared.artifacts.decision import Registration
from components.shared.artifacts.human_review import JudgeAgreement, JudgedAnswer, QueueItem, Review
from components.shared.texts.shown import on_console
from pipelines.printing import console, print_line
from pipelines.review.case import ReviewCase
from pipelines.running.tables import show_decision


def show_case(case: ReviewCase) -> None:
    """Prints the decision that asks for a review, and how much there is to look at."""
    show_decision(case.decision)
    print_line(f"to review: {_count(case)} of run {case.run.context.pipeline_run}")
    for category, left_out in _left_out(case.queue).items():
        print_line(f"  {category}: {left_out} more look worse and are not shown; the queue holds the worst")


def show_item(item: QueueItem, place: int, items: int) -> None:
    """Prints an item: the prompt, the base's answer and the adapter's, with what the judges say.

    Args:
        item: from the queue.
        place: its place in the queue, from 1.
        items: items in the queue.
    """
    from rich.panel import Panel
    from rich.text import Text

    out = console()
    title = (
        f"{place} of {items}: {on_console(item.category)}, prompt {on_console(item.prompt_id)}, sample {item.sample}"
    )
    asked = [("system", item.system)] if item.system else []
    asked += [*((turn.role, turn.content) for turn in item.turns), ("user", item.prompt)]
    body = "\n".join(f"{role}: {on_console(text)}" for role, text in asked)
    out.print()
    out.print(Panel(Text(body), title=Text(title), title_align="left", border_style="bold"))
    for side, answer, passed in (("base", item.before, item.passed_before), ("adapter", item.after, item.passed_after)):
        heading = f"{side}: {answer.verdict.value} ({passed} of {item.samples} answers pass)"
        panel = Panel(
            Text(on_console(answer.answer) or "(nothing)"),
            title=Text(heading),
            title_align="left",
            subtitle=Text(_judges(answer)),
            subtitle_align="left",
        )
        out.print(panel)
    print_line(f"why: {'; '.join(why.value for why in item.why)}")
    if item.fresh is not None:
        fresh = item.fresh
        print_line(
            f"fresh answers: {fresh.passed_before} of {fresh.samples} pass before, {fresh.passed_after} of "
            f"{fresh.samples} after (Fisher p = {fresh.fisher_p:.2g})"
        )


def show_review(review: Review, registration: Registration | None) -> None:
    """Prints the review, how far judge and reviewer agree, and whether the adapter was registered."""
    print_line(review.summary)
    for agreement in review.agreement:
        print_line(f"  {_agreement(agreement)}")
    if registration is None:
        print_line("  nothing was registered; the decision stays needs_review")
        return
    before = f"; version {registration.replaces} is previous" if registration.replaces else ""
    print_line(f"  registered: models:/{registration.model_name}@champion is version {registration.version}{before}")


def _judges(answer: JudgedAnswer) -> str:
    others = "".join(f"; {other.judge} says {other.verdict.value}: {other.reason}" for other in answer.opinions)
    return " ".join(on_console(f"{answer.judge}: {answer.reason}{others}").split())


def _agreement(judge: JudgeAgreement) -> str:
    return (
        f"{judge.judge}: you agree on {judge.agreed} of {judge.answers} answers (kappa {_kappa(judge.kappa)}); all "
        f"reviews together {judge.agreed_so_far} of {judge.answers_so_far} (kappa {_kappa(judge.kappa_so_far)})"
    )


def _kappa(value: float | None) -> str:
    return f"{value:.2f}" if value is not None else "undefined"


def _count(case: ReviewCase) -> str:
    return "1 answer" if len(case.queue) == 1 else f"{len(case.queue)} answers"


def _left_out(queue: Sequence[QueueItem]) -> dict[str, int]:
    """By category that asks for a review, the number of answers that are not in the queue; without zeros."""
    total = {item.asks: item.found for item in queue}
    queued = Counter(item.asks for item in queue)
    return {category: count - queued[category] for category, count in total.items() if count > queued[category]}
