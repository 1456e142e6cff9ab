"""The form of a metric's definition: name, unit, direction, meaning and limits.

Each family of metrics keeps its definitions beside its formulas.
"""

from typing import Literal, NamedTuple

from components.shared.artifacts.safety_report import Metric

Worse = Literal["up", "down", "either"]
"""The direction in which a change is worse; `either`: a change is neither better nor worse."""


class Definition(NamedTuple):
    """The definition of a metric, or of several whose name differs in a {place}.

    Attributes:
        name: such as `safety_score` or `opinion/{judge}/mean`.
        unit: of the value: %, pp, score, nats, nats/token, tokens or pairs.
        worse: as in `Worse`; `by expectation` if it depends on what the prompts expect.
        counts: what `Metric.count` counts.
        meaning: the exact definition.
        limits: what the metric does not show.
    """

    name: str
    unit: str
    worse: Literal["up", "down", "either", "by expectation"]
    counts: Literal["answers", "prompts", "pairs"]
    meaning: str
    limits: str

    def of(self, category: str, value: float, count: int, worse: Worse | None = None, **places: object) -> Metric:
        """The metric with a value.

        Args:
            category: the category, or `all`.
            value: in `unit`.
            count: number of answers, prompts or pairs that it is computed from, at least 1.
            worse: the direction, if the definition leaves it open.
            places: values of the name's {places}.
        """
        if worse is None:
            worse = "either" if self.worse == "by expectation" else self.worse
        return Metric(
            name=self.name.format(**places),
            category=category,
            value=value + 0.0,  # turns -0.0 into 0.0, for JSON would show the sign
            unit=self.unit,
            worse=worse,
            count=count,
        )
