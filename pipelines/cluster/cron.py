"""Cron expressions as Kubeflow's server reads them: six fields, seconds first, in the server's own time zone.

The server's cron library (robfig/cron 1.2) knows no time zone per expression, so an expression in another zone is
rewritten by the hours that lie between the two today. Where one of the zones changes its clocks, that stops being
right, and the caller is told from which day on. Nothing is sent here.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from components.shared.errors import ConfigError

_DAYS_AHEAD = 400
"""Every change of clocks comes round within a year."""


class _Field(NamedTuple):
    name: str
    lowest: int
    highest: int
    words: str = ""

    @property
    def all(self) -> frozenset[int]:
        return frozenset(range(self.lowest, self.highest + 1))


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    _Field("day of week", 0, 6, "sun mon tue wed thu fri sat"),
)
_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY = range(1, 6)


class Translated(NamedTuple):
    """An expression in the server's zone."""

    cron: str
    until: date | None
    """The first day on which it is another hour in the zone that was asked for; None: it never is."""


def cron_of(text: str) -> str:
    """A cron expression as the server takes it.

    Args:
        text: five fields (minute, hour, day of month, month, day of week) or six.

    Raises:
        ConfigError: it is no such expression.
    """
    fields = _split(text)
    _values(text, fields)
    return " ".join(fields)


def translate(text: str, zone: str, server_zone: str, now: datetime | None = None) -> Translated:
    """A cron expression of one time zone, for a server that reads expressions in another.

    Args:
        text: see `cron_of`.
        zone: in which it is meant, such as Europe/Berlin.
        server_zone: in which the server reads it.
        now: the time; None: now.

    Raises:
        ConfigError: it is no such expression, there is no such zone, or no one expression says the same there.
    """
    meant, read = _zone(zone), _zone(server_zone)
    fields = _split(text)
    values = _values(text, fields)
    today = now or datetime.now(UTC)

    def shifted(day: datetime) -> str:
        return _shift(fields, values, _minutes_between(meant, read, day))

    try:
        cron = shifted(today)
    except _InexpressibleError as error:
        raise ConfigError(
            f"cron {text!r} by the clocks of {zone} is no one expression in the server's time zone, {server_zone}: "
            f"{error}. Give it in {server_zone}, or let the server read {zone}: CRON_SCHEDULE_TIMEZONE of its "
            "scheduled workflow controller, and cluster.time_zone in the config"
        ) from None
    for day in (today + timedelta(days=ahead) for ahead in range(1, _DAYS_AHEAD)):
        try:
            same = shifted(day) == cron
        except _InexpressibleError:
            same = False
        if not same:
            return Translated(cron, day.astimezone(meant).date())
    return Translated(cron, None)


class _InexpressibleError(Exception):
    """The times do not fall into one expression."""


def _shift(fields: Sequence[str], values: Sequence[frozenset[int]], minutes: int) -> str:
    if minutes == 0:
        return " ".join(fields)
    every_day = all(values[own] == _FIELDS[own].all for own in (_DAY, _MONTH, _WEEKDAY))
    result = list(values)
    result[_MINUTE] = frozenset((value + minutes) % 60 for value in values[_MINUTE])
    hours = {(value + minutes) // 60 for value in values[_MINUTE]}
    if values[_HOUR] == _FIELDS[_HOUR].all and every_day:
        return _written(fields, values, result)
    if len(hours) > 1:
        raise _InexpressibleError("its minutes fall into different hours there")
    (by,) = hours
    result[_HOUR] = frozenset((value + by) % 24 for value in values[_HOUR])
    days = {(value + by) // 24 for value in values[_HOUR]}
    if every_day or days == {0}:
        return _written(fields, values, result)
    if len(days) > 1:
        raise _InexpressibleError("its hours fall on different days there")
    if any(values[own] != _FIELDS[own].all for own in (_DAY, _MONTH)):
        raise _InexpressibleError("it falls on the day before or after there, which a day of the month cannot say")
    (day,) = days
    result[_WEEKDAY] = frozenset((value + day) % 7 for value in values[_WEEKDAY])
    return _written(fields, values, result)


def _written(fields: Sequence[str], before: Sequence[frozenset[int]], after: Sequence[frozenset[int]]) -> str:
    """The fields that stayed as they were written, the others as lists."""
    parts = zip(fields, before, after, strict=True)
    return " ".join(own if old == new else ",".join(map(str, sorted(new))) for own, old, new in parts)


def _split(text: str) -> list[str]:
    fields = text.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6:
        raise ConfigError(f"cron {text!r} has {len(fields)} fields; expected 5 (minute first) or 6 (second first)")
    return fields


def _values(text: str, fields: Sequence[str]) -> list[frozenset[int]]:
    """The numbers that each field stands for."""
    found = []
    for written, field in zip(fields, _FIELDS, strict=True):
        try:
            found.append(frozenset[int]().union(*(_part(part, field) for part in written.split(","))))
        except ValueError:
            raise ConfigError(
                f"cron {text!r}: {written!r} is no {field.name}; expected {field.lowest} to {field.highest}, *, ranges "
                "or lists"
            ) from None
    return found


def _part(part: str, field: _Field) -> range:
    """`*`, `N`, `A-B`, each with `/STEP`; `N/STEP` goes on to the end, as in robfig/cron."""
    base, stepped, step = part.partition("/")
    lowest, ranged, highest = base.partition("-")
    if base in ("*", "?"):
        first, last = field.lowest, field.highest
    else:
        first = _number(lowest, field)
        last = _number(highest, field) if ranged else field.highest if stepped else first
    by = _digits(step) if stepped else 1
    if not (field.lowest <= first <= last <= field.highest and by > 0):
        raise ValueError
    return range(first, last + 1, by)


def _number(text: str, field: _Field) -> int:
    words = field.words.split()
    return words.index(text.lower()) + field.lowest if text.lower() in words else _digits(text)


def _digits(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError
    return int(text)


def _minutes_between(zone: ZoneInfo, server_zone: ZoneInfo, day: datetime) -> int:
    """What is to be added to a time of the zone's clocks for the server's."""
    here, there = (day.astimezone(own).utcoffset() or timedelta() for own in (zone, server_zone))
    return round((there - here).total_seconds() / 60)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"time zone {name!r} is not known; expected a name such as Europe/Berlin or UTC") from None
