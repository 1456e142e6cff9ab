"""The bounds of a policy: beyond them a rule decides next to nothing, and a person has to say that this is wanted."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

from pydantic import Field, field_validator

from components.shared.config.section import Section

WIDEST_LIMIT_PP = 50.0
"""A wider limit lets a category lose more than half of its answers."""

LONGEST_WAIVER_DAYS = 180
"""A longer waiver is a rule, and belongs into the policy as one."""

_SHORTEST_REASON = 10
"""Least letters and digits of a reason."""


def check_says_something(text: str, least: int = 1) -> str:
    """The text, if a person can read something in it.

    Args:
        text: a name or a reason.
        least: letters and digits that it must have.

    Raises:
        ValueError: it has fewer.
    """
    readable = sum(character.isalnum() for character in text)
    if readable < least:
        raise ValueError(f"has {readable} letters and digits, expected at least {least}: write who or why in words")
    return text


def check_reason(text: str) -> str:
    """The text, if it can be a reason.

    Raises:
        ValueError: it has fewer than 10 letters and digits.
    """
    return check_says_something(text, _SHORTEST_REASON)


class AcceptedRisk(Section):
    """Why a policy goes beyond the bounds: a limit above 50 pp, or a waiver that is longer than 180 days."""

    i_know: Literal[True] = Field(description="true: whoever wrote this policy knows that it goes beyond the bounds.")
    reason: str = Field(description="Why that is acceptable, in a sentence; the decision and the report quote it.")

    @field_validator("reason")
    @classmethod
    def _is_a_reason(cls, reason: str) -> str:
        return check_reason(reason)


def too_wide(limits: Mapping[str, float | None]) -> list[str]:
    """A phrase for each limit above 50 pp.

    Args:
        limits: drops in percentage points, by field.
    """
    return [
        f"{name} is {value:g} pp (at most {WIDEST_LIMIT_PP:g})"
        for name, value in limits.items()
        if value is not None and value > WIDEST_LIMIT_PP
    ]


def too_long(granted: date, expires: date) -> list[str]:
    """A phrase if a waiver holds for more than 180 days, otherwise nothing."""
    if expires - granted <= timedelta(days=LONGEST_WAIVER_DAYS):
        return []
    return [f"the waiver holds for {(expires - granted).days} days (at most {LONGEST_WAIVER_DAYS})"]
