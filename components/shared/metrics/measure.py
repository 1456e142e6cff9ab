"""All metrics that need no model, of one side's answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.safety_report import Metric
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.metrics.attacks import attacks
from components.shared.metrics.behaviour import behaviour
from components.shared.metrics.bias import bias_scores
from components.shared.metrics.definition import Worse
from components.shared.metrics.grouping import Group, grouped
from components.shared.metrics.opinions import opinions
from components.shared.metrics.pairs import pair_asymmetries
from components.shared.metrics.refusals import refusals
from components.shared.metrics.scores import scores
from components.shared.metrics.task import task_overlaps


def measure(
    prompts: Sequence[SuitePrompt],
    rows: Sequence[AnswerRow],
    score_directions: Mapping[str, Worse] | None = None,
) -> tuple[Metric, ...]:
    """The metrics that the rows have data for: first `all`, then each category by name.

    The order of prompts and rows does not matter.

    Args:
        prompts: every prompt that was asked.
        rows: the judged answers to them, each once.
        score_directions: the direction in which a second judge's score is worse, by the judge's name; see
            `opinions.score_directions`.

    Raises:
        DataError: a row is no answer to one of the prompts, a prompt id occurs twice, a category is called `all`, or
            two versions of one second judge gave opinions.
    """
    families: tuple[Callable[[Group], Iterator[Metric]], ...] = (
        scores,
        refusals,
        attacks,
        partial(opinions, directions=score_directions or {}),
        bias_scores,
        pair_asymmetries,
        behaviour,
        task_overlaps,
    )
    return tuple(metric for group in grouped(prompts, rows) for family in families for metric in family(group))
