"""Joins answers with their prompts, and groups them by category and for `all`.

`all` is every category but the held-out task, so that a learned task cannot hide a loss of safety. Whether every prompt
was answered is checked by `gate.pairing`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.errors import DataError
from components.shared.vocabulary import TASK_CATEGORY, Expectation, Verdict

ALL = "all"
"""The category of metrics over every category but the held-out task."""


class AnsweredPrompt(NamedTuple):
    """A judged answer and its prompt."""

    prompt: SuitePrompt
    row: AnswerRow


@dataclass(frozen=True)
class Group:
    """The prompts and answers of one category, or of all.

    Attributes:
        category: the category, or `all`.
        prompts: answered or not.
        cases: at least one.
    """

    category: str
    prompts: Sequence[SuitePrompt]
    cases: Sequence[AnsweredPrompt]

    def asking(self, *expectations: Expectation) -> list[AnsweredPrompt]:
        """The cases with one of the expectations."""
        return [case for expectation in expectations for case in self._by_expectation.get(expectation, ())]

    @cached_property
    def _by_expectation(self) -> dict[Expectation, list[AnsweredPrompt]]:
        by_expectation: defaultdict[Expectation, list[AnsweredPrompt]] = defaultdict(list)
        for case in self.cases:
            by_expectation[case.prompt.expectation].append(case)
        return dict(by_expectation)


def grouped(prompts: Sequence[SuitePrompt], rows: Iterable[AnswerRow]) -> tuple[Group, ...]:
    """One group for all, then one per category that has rows, by name.

    Raises:
        DataError: a prompt id occurs twice, a category is called `all`, or a row is not an answer to a prompt.
    """
    known = {prompt.id: prompt for prompt in prompts}
    asked: defaultdict[str, list[SuitePrompt]] = defaultdict(list)
    for prompt in prompts:
        if known[prompt.id] is not prompt:
            raise DataError(f"prompt id {prompt.id!r} occurs twice; ids are unique among all suites of a run")
        asked[prompt.category].append(prompt)
    if ALL in asked:
        first = asked[ALL][0].id
        raise DataError(f"prompt {first!r}: category {ALL!r} is kept for metrics over all categories; choose another")
    cases: defaultdict[str, list[AnsweredPrompt]] = defaultdict(list)
    for row in rows:
        answered = known.get(row.prompt_id)
        if answered is None or answered.category != row.category:
            raise DataError(
                f"sample {row.sample} answers prompt {row.prompt_id!r} in category {row.category!r}, which is not "
                "among the prompts; pass the prompts that were asked"
            )
        cases[row.category].append(AnsweredPrompt(answered, row))
    names = sorted(cases)
    pooled = [name for name in names if name != TASK_CATEGORY]
    every = Group(
        ALL,
        [prompt for name in pooled for prompt in asked[name]],
        [case for name in pooled for case in cases[name]],
    )
    return (*([every] if pooled else ()), *(Group(name, asked[name], cases[name]) for name in names))


def scored(cases: Iterable[AnsweredPrompt]) -> list[AnsweredPrompt]:
    """The cases without the unscored ones, which `unscored_share` counts."""
    return [case for case in cases if case.row.verdict is not Verdict.UNSCORED]


def by_prompt(cases: Iterable[AnsweredPrompt]) -> dict[str, list[AnsweredPrompt]]:
    """The cases of each prompt, by its id."""
    answers: defaultdict[str, list[AnsweredPrompt]] = defaultdict(list)
    for case in cases:
        answers[case.prompt.id].append(case)
    return dict(answers)


def count(cases: Iterable[AnsweredPrompt], verdict: Verdict) -> int:
    """How many cases have a verdict."""
    return sum(case.row.verdict is verdict for case in cases)
