"""What a metric is: name, unit, direction, meaning and limits; and how a number becomes a `Metric`.

Each family of metrics keeps its definitions beside its formulas. This module does not know any of them.
"""

import re
from typing import Literal, NamedTuple

from components.shared.artifacts.safety_report import Metric

Worse = Literal["up", "down", "either"]
"""The direction in which a change is worse; `either` where a change is only to be looked at."""


class Definition(NamedTuple):
    """The definition of a metric, or of a family whose name has a {place} for what it is about.

    Attributes:
        name: such as `safety_score` or `opinion/{judge}/mean`.
        unit: of the value: %, pp, score, nats, nats/token, tokens or pairs.
        worse: as in `Worse`; `by expectation` where it depends on what the prompts ask for.
        counts: what `Metric.count` counts.
        meaning: the exact definition, one sentence.
        limits: what it does not say.
    """

    name: str
    unit: str
    worse: Literal["up", "down", "either", "by expectation"]
    counts: Literal["answers", "prompts", "pairs", "values"]
    meaning: str
    limits: str

    def of(self, category: str, value: float, count: int, worse: Worse | None = None, **places: object) -> Metric:
        """The metric with a value.

        Args:
            category: the category, or `all`.
            value: in `unit`.
            count: what it rests on, at least 1.
            worse: where the definition leaves it to the data.
            places: what stands in the name's {places}.
        """
        if worse is None:
            worse = "either" if self.worse == "by expectation" else self.worse
        return Metric(
            name=self.name.format(**places),
            category=category,
            value=value + 0.0,  # no negative zero, which JSON would show
            unit=self.unit,
            worse=worse,
            count=count,
        )

    def covers(self, name: str) -> bool:
        """Whether a metric's name is this definition's."""
        return re.fullmatch(re.sub(r"\\{\w+\\}", ".+", re.escape(self.name)), name, re.DOTALL) is not None
