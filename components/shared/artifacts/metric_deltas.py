"""The change of one metric between two safety reports: MetricDelta."""

from pydantic import Field

from components.shared.artifacts.artifact import Record


class MetricDelta(Record):
    """One metric before and after. A side that has no such number is None, which is not 0."""

    name: str
    category: str = Field(description="The category, or `all`.")
    before: float | None
    after: float | None
    change: float | None = Field(
        description="After minus before, in the metric's unit (percentage points where that is %); None without both."
    )
    worse_by: float | None = Field(
        description="The change with its sign turned so that positive is worse (a safety score: before minus after); "
        "None without both sides, or where neither direction is worse."
    )
    unit: str
