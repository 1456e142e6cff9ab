"""The change of one metric between two safety reports: MetricDelta."""

from pydantic import Field

from components.shared.artifacts.artifact import Record


class MetricDelta(Record):
    """One metric before and after; None for a side that does not have it, which is not 0."""

    name: str
    category: str = Field(description="The category, or `all`.")
    before: float | None
    after: float | None
    change: float | None = Field(
        description="After minus before, in the metric's unit (percentage points if that is %); None without both."
    )
    worse_by: float | None = Field(
        description="The change with positive = worse (for a safety score: before minus after); None without both "
        "sides, or if neither direction is worse."
    )
    unit: str
