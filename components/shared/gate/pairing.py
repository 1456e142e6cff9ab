"""Pairs the answers of two reports, prompt by prompt. Pure functions of rows."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.vocabulary import Verdict


class Grades(NamedTuple):
    """The grades of both sides' answers to one prompt, in sample order; None for an answer that was not scored.

    Attributes:
        by: the judge's name.
        before: of the base's answers.
        after: of the adapter's answers.
    """

    by: str
    before: tuple[float | None, ...]
    after: tuple[float | None, ...]


class PromptPair(NamedTuple):
    """One prompt's verdicts before and after, in sample order.

    Attributes:
        prompt_id: of the prompt.
        category: of the prompt.
        before: verdicts on the base's answers.
        after: verdicts on the adapter's answers.
        grades: graded prompts only: grades of both sides' answers, 0 to 1, which count instead of the verdicts.
    """

    prompt_id: str
    category: str
    before: tuple[Verdict, ...]
    after: tuple[Verdict, ...]
    grades: Grades | None = None

    @property
    def drop(self) -> float:
        """Share passing before minus share passing after, in [-1, 1].

        Fails closed: an unscored answer counts as passing before and as not passing after. Of graded answers it is
        the fall of their mean grade.
        """
        if self.grades is not None:
            return _mean(self.grades.before, 1.0) - _mean(self.grades.after, 0.0)
        passed_before = self.before.count(Verdict.PASS) + self.before.count(Verdict.UNSCORED)
        passed_after = self.after.count(Verdict.PASS)
        return passed_before / len(self.before) - passed_after / len(self.after)

    def passing_share(self, after: bool) -> float:
        """Share of one side's answers that pass, or their mean grade, 0 to 1; an unscored one counts as 0."""
        if self.grades is not None:
            return _mean(self.grades.after if after else self.grades.before, 0.0)
        verdicts = self.after if after else self.before
        return verdicts.count(Verdict.PASS) / len(verdicts)

    @property
    def telling_sample(self) -> int:
        """Index of the first answer that passed before and does not pass after, else of the first that does not pass.

        Of graded answers it is the one with the lowest grade after.

        Raises:
            IndexError: every answer passes after, and none is graded.
        """
        if self.grades is not None:
            grades = [grade or 0.0 for grade in self.grades.after]
            return grades.index(min(grades))
        failing = [n for n, verdict in enumerate(self.after) if verdict is not Verdict.PASS]
        flipped = [n for n in failing if n < len(self.before) and self.before[n] is Verdict.PASS]
        return (flipped or failing)[0]


def pair(before: Iterable[AnswerRow], after: Iterable[AnswerRow]) -> tuple[PromptPair, ...]:
    """The prompts that both sides answered, in the order of `before`; matched by id and category, not by position."""
    before, after = tuple(before), tuple(after)
    first, second = _by_prompt(before), _by_prompt(after)
    grades = _grades(before, after)
    return tuple(
        PromptPair(*key, verdicts, second[key], grades.get(key)) for key, verdicts in first.items() if key in second
    )


def grades_of(before: Sequence[AnswerRow], after: Sequence[AnswerRow]) -> Grades | None:
    """The grades of both sides' answers to one prompt, in their order; None if no answer has one."""
    graders = [row.judge.partition("@")[0] for row in chain(before, after) if row.score is not None]
    if not graders:
        return None
    return Grades(graders[0], tuple(row.score for row in before), tuple(row.score for row in after))


def by_category(pairs: Iterable[PromptPair]) -> dict[str, list[PromptPair]]:
    """The pairs of each category, in the order in which categories occur."""
    grouped: defaultdict[str, list[PromptPair]] = defaultdict(list)
    for each in pairs:
        grouped[each.category].append(each)
    return dict(grouped)


def by_answer(rows: Iterable[AnswerRow], prompt_ids: Collection[str]) -> dict[tuple[str, int], AnswerRow]:
    """The rows of these prompts, by prompt id and sample."""
    return {(row.prompt_id, row.sample): row for row in rows if row.prompt_id in prompt_ids}


def completeness_problems(
    side: str, rows: Sequence[AnswerRow], prompts: Sequence[SuitePrompt], samples: int
) -> list[str]:
    """Which answers are missing, unknown or repeated, one sentence each; empty if there are none.

    Args:
        side: its name, for the sentences.
        rows: the side's answers.
        prompts: the prompts that were asked.
        samples: answers per prompt, for a prompt that has no number of its own.
    """
    if _complete(rows, prompts, samples):
        return []
    expected = {(prompt.id, prompt.category, sample) for prompt in prompts for sample in range(prompt.draws(samples))}
    counted = Counter((row.prompt_id, row.category, row.sample) for row in rows)
    problems = []
    for what, answers in (
        ("missing", sorted(expected - counted.keys())),
        ("unknown", sorted(counted.keys() - expected)),
        ("repeated", sorted(answer for answer, count in counted.items() if count > 1)),
    ):
        if answers:
            prompt_id, _, sample = answers[0]
            problems.append(
                f"{side}: {len(answers)} answers are {what}, the first is sample {sample} of prompt {prompt_id!r}"
            )
    return problems


def _complete(rows: Sequence[AnswerRow], prompts: Sequence[SuitePrompt], samples: int) -> bool:
    """Whether no answer is missing, unknown or repeated; quicker than naming them."""
    answered: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        answered[row.prompt_id, row.category].append(row.sample)
    draws = {(prompt.id, prompt.category): prompt.draws(samples) for prompt in prompts}
    return answered.keys() == draws.keys() and all(
        sorted(numbers) == list(range(draws[key])) for key, numbers in answered.items()
    )


def _grades(before: Sequence[AnswerRow], after: Sequence[AnswerRow]) -> dict[tuple[str, str], Grades]:
    """The grades of the prompts of which some answer has one."""
    graded = {(row.prompt_id, row.category) for row in chain(before, after) if row.score is not None}
    first, second = (_in_sample_order(rows, graded) for rows in (before, after))
    found = {key: grades_of(first[key], second[key]) for key in first.keys() & second.keys()}
    return {key: grades for key, grades in found.items() if grades is not None}


def _in_sample_order(
    rows: Sequence[AnswerRow], prompts: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[AnswerRow]]:
    answers: defaultdict[tuple[str, str], list[AnswerRow]] = defaultdict(list)
    for row in rows:
        if (row.prompt_id, row.category) in prompts:
            answers[row.prompt_id, row.category].append(row)
    return {key: sorted(of_prompt, key=lambda row: row.sample) for key, of_prompt in answers.items()}


def _mean(grades: Sequence[float | None], unscored: float) -> float:
    return math.fsum(unscored if grade is None else grade for grade in grades) / len(grades)


def _by_prompt(rows: Iterable[AnswerRow]) -> dict[tuple[str, str], tuple[Verdict, ...]]:
    samples: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    verdicts: defaultdict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for row in rows:
        key = row.prompt_id, row.category
        samples[key].append(row.sample)
        verdicts[key].append(row.verdict)
    return {key: _in_order(samples[key], unordered) for key, unordered in verdicts.items()}


def _in_order(samples: list[int], verdicts: list[Verdict]) -> tuple[Verdict, ...]:
    order = sorted(samples)
    if order != samples:  # rare: answers are written in order
        verdicts = [verdict for _, verdict in sorted(zip(samples, verdicts, strict=True), key=lambda item: item[0])]
    return tuple(verdicts)
