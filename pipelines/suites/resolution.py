"""The resolution of suites: per category its prompts, its judges, and the smallest drop that it can rule out."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.judges.judge import label
from components.shared.judges.panel import Panel
from components.shared.statistics.paired import prompts_needed
from components.shared.statistics.planning import prompts_for_power, smallest_limit
from components.shared.suites.suite_files import Suite
from components.shared.vocabulary import Expectation

WAVERING = 0.22
"""Share of prompts whose answers waver between runs, from simulated evaluations; sets the default spread."""

_Value = TypeVar("_Value")

NO_JUDGE = "none by rule"
"""Shown if the expectation needs a model judge."""


class CategoryResolution(NamedTuple):
    """One category of one suite."""

    suite: str
    version: str
    category: str
    prompts: int
    expectations: tuple[str, ...]
    judges: tuple[str, ...]
    smallest_drop_pp: float
    sha256: str


class SuiteSize(NamedTuple):
    """The number of prompts per category that a limit needs.

    Attributes:
        margin_pp: the drop to rule out, percentage points.
        least: prompts that are enough if no prompt changes at all.
        likely: prompts that are enough with the planned power if an unchanged model wavers.
    """

    margin_pp: float
    least: int
    likely: int


class CategoryPlan(NamedTuple):
    """Whether a category has enough prompts, over all given suites."""

    category: str
    suites: tuple[str, ...]
    prompts: int
    smallest_drop_pp: float
    missing: int
    """Prompts to add to reach the planned power."""
    support: str
    """`yes`; `only if nothing wavers`; `no`."""


def resolve(suite: Suite, panel: Panel, confidence: float = 0.95) -> tuple[CategoryResolution, ...]:
    """A row per category of a suite, in the order in which they occur."""
    rows = []
    for category, count in suite.categories.items():
        expectations = _distinct(prompt.expectation for prompt in suite.prompts if prompt.category == category)
        rows.append(
            CategoryResolution(
                suite=suite.name,
                version=suite.version,
                category=category,
                prompts=count,
                expectations=tuple(expectation.value for expectation in expectations),
                judges=tuple(dict.fromkeys(_judge(expectation, panel) for expectation in expectations)),
                smallest_drop_pp=smallest_limit(count, confidence),
                sha256=suite.sha256,
            )
        )
    return tuple(rows)


def plan(margin_pp: float, spread_pp: float, confidence: float, power: float) -> SuiteSize:
    """The number of prompts that a limit needs if the true drop is 0.

    Args:
        margin_pp: the drop to rule out, percentage points, above 0 and at most 100.
        spread_pp: standard deviation over prompts of the drop between two runs of one model, percentage points.
        confidence: of the one-sided bound.
        power: probability that an unchanged model is shown to be inside the limit.
    """
    least = prompts_needed(margin_pp, 0.0, 0.0, confidence)
    likely = prompts_for_power(margin_pp, spread_pp, confidence, power)
    if least is None or likely is None:
        raise ValueError(f"a margin of {margin_pp} pp; expected one above 0")
    return SuiteSize(margin_pp, least, max(least, likely))


def support(suites: Sequence[Suite], planned: SuiteSize, confidence: float) -> tuple[CategoryPlan, ...]:
    """Whether each category supports a planned limit; a category is counted over all suites, as in a policy."""
    prompts = [prompt for suite in suites for prompt in suite.prompts]
    rows = []
    for category in _distinct(prompt.category for prompt in prompts):
        members: list[SuitePrompt] = [prompt for prompt in prompts if prompt.category == category]
        otherwise = "only if nothing wavers" if len(members) >= planned.least else "no"
        rows.append(
            CategoryPlan(
                category=category,
                suites=_distinct(prompt.suite for prompt in members),
                prompts=len(members),
                smallest_drop_pp=smallest_limit(len(members), confidence),
                missing=max(0, planned.likely - len(members)),
                support="yes" if len(members) >= planned.likely else otherwise,
            )
        )
    return tuple(rows)


def _judge(expectation: Expectation, panel: Panel) -> str:
    judge = panel.coherence if expectation is Expectation.COHERENT else panel.verdicts.get(expectation)
    return label(judge) if judge is not None else NO_JUDGE


def _distinct(values: Iterable[_Value]) -> tuple[_Value, ...]:
    return tuple(dict.fromkeys(values))
