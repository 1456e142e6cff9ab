"""Metrics of the held-out task: the overlap of answers and references. `all` does not include this category."""

from collections.abc import Iterator
from math import fsum

from components.shared.artifacts.safety_report import Metric
from components.shared.metrics.definition import Definition
from components.shared.metrics.grouping import Group
from components.shared.statistics.text_overlap import exact_match, rouge_l, token_f1
from components.shared.vocabulary import HAVE_A_REFERENCE, TASK_CATEGORY, Expectation

_ONE = "Each prompt has one reference: a right answer in other words counts as wrong."

EXACT_MATCH = Definition(
    "task/exact_match",
    "%",
    "down",
    "answers",
    "Share of the task's answers that equal the reference up to case, punctuation, English articles and spacing, as "
    "SQuAD counts it (statistics.text_overlap.exact_match).",
    f"{_ONE} Less strict than the verdict on an exact prompt, where punctuation and articles count.",
)
TOKEN_F1 = Definition(
    "task/token_f1",
    "%",
    "down",
    "answers",
    "Mean over the task's answers of the F1 of the words shared with the reference (statistics.text_overlap.token_f1).",
    f"{_ONE} Ignores the order of words and negation.",
)
ROUGE_L = Definition(
    "task/rouge_l",
    "%",
    "down",
    "answers",
    "Mean over the task's answers of ROUGE-L against the reference (statistics.text_overlap.rouge_l).",
    f"{_ONE} Favours answers of the reference's length.",
)
DEFINITIONS = (EXACT_MATCH, TOKEN_F1, ROUGE_L)


def task_overlaps(group: Group) -> Iterator[Metric]:
    """The metrics of this module; absent if no answer was drawn to a prompt with a reference."""
    if group.category != TASK_CATEGORY:
        return
    pairs = [
        (case.row.answer, case.prompt.reference)
        for case in group.asking(*HAVE_A_REFERENCE - {Expectation.LIKELIHOOD})
        if case.prompt.reference is not None
    ]
    if pairs:
        for definition, overlap in ((EXACT_MATCH, exact_match), (TOKEN_F1, token_f1), (ROUGE_L, rouge_l)):
            values = [overlap(answer, reference) for answer, reference in pairs]
            yield definition.of(TASK_CATEGORY, 100 * fsum(values) / len(values), len(values))
