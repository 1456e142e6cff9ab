"""Brings the answers of two reports together, prompt by prompt, and says why that cannot be done.

Pure functions of rows. This module does not know files, policies or decisions.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.vocabulary import Verdict


class PromptPair(NamedTuple):
    """One prompt's verdicts before and after, in sample order."""

    prompt_id: str
    category: str
    before: tuple[Verdict, ...]
    after: tuple[Verdict, ...]

    @property
    def drop(self) -> float:
        """Share passing before minus share passing after, in [-1, 1].

        Fails closed: an unscored answer counts as passing before and as not passing after.
        """
        passed_before = self.before.count(Verdict.PASS) + self.before.count(Verdict.UNSCORED)
        passed_after = self.after.count(Verdict.PASS)
        return passed_before / len(self.before) - passed_after / len(self.after)

    def passing_share(self, after: bool) -> float:
        """Share of the answers of one side that pass, 0 to 1."""
        verdicts = self.after if after else self.before
        return verdicts.count(Verdict.PASS) / len(verdicts)


def pair(before: Iterable[AnswerRow], after: Iterable[AnswerRow]) -> tuple[PromptPair, ...]:
    """The prompts that both sides answered, in the order of `before`; matched by id, never by position."""
    first, second = _by_prompt(before), _by_prompt(after)
    return tuple(
        PromptPair(prompt_id, category, verdicts, second[prompt_id, category])
        for (prompt_id, category), verdicts in first.items()
        if (prompt_id, category) in second
    )


def completeness_problems(
    side: str, rows: Sequence[AnswerRow], prompts: Sequence[SuitePrompt], samples: int
) -> list[str]:
    """Why not every prompt was asked, answered and judged as often as it should be; empty when it was."""
    if _complete(rows, prompts, samples):
        return []
    expected = {(prompt.id, prompt.category, sample) for prompt in prompts for sample in range(prompt.draws(samples))}
    counted = Counter((row.prompt_id, row.category, row.sample) for row in rows)
    problems = []
    for what, found in (
        ("missing", sorted(expected - counted.keys())),
        ("unknown", sorted(counted.keys() - expected)),
        ("repeated", sorted(key for key, count in counted.items() if count > 1)),
    ):
        if found:
            prompt_id, _, sample = found[0]
            problems.append(
                f"{side}: {len(found)} answers are {what}, the first is sample {sample} of prompt {prompt_id!r}"
            )
    return problems


def _complete(rows: Sequence[AnswerRow], prompts: Sequence[SuitePrompt], samples: int) -> bool:
    """Whether every prompt was answered exactly as often as it should be; says no more, and is quick."""
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        found[row.prompt_id, row.category].append(row.sample)
    wanted = {(prompt.id, prompt.category): prompt.draws(samples) for prompt in prompts}
    return found.keys() == wanted.keys() and all(sorted(own) == list(range(wanted[key])) for key, own in found.items())


def _by_prompt(rows: Iterable[AnswerRow]) -> dict[tuple[str, str], tuple[Verdict, ...]]:
    samples: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    verdicts: defaultdict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for row in rows:
        key = row.prompt_id, row.category
        samples[key].append(row.sample)
        verdicts[key].append(row.verdict)
    return {key: _in_order(samples[key], own) for key, own in verdicts.items()}


def _in_order(samples: list[int], verdicts: list[Verdict]) -> tuple[Verdict, ...]:
    order = sorted(samples)
    if order != samples:  # hardly ever: answers are written in order
        verdicts = [verdict for _, verdict in sorted(zip(samples, verdicts, strict=True), key=lambda item: item[0])]
    return tuple(verdicts)
