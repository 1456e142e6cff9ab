"""Cron expressions for Kubeflow's scheduler, which reads all of them in the one time zone of its server.

An expression in another zone is refused, with the expression to use instead where there is a simple one.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from components.shared.errors import ConfigError

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, Sequence[str]], ...] = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _WEEKDAYS),
)
_PART = re.compile(r"(?:[*?]|([0-9]+|[a-z]+)(?:-([0-9]+|[a-z]+))?)(?:/0*[1-9][0-9]*)?")
"""One element of a field, in lower case: `*`, `N` or `A-B`, each with `/STEP`, as robfig/cron 1.2 reads it."""


def server_cron(text: str, zone: str | None, server_zone: str, now: datetime | None = None) -> str:
    """A cron expression as the server takes it: six fields, seconds first.

    Args:
        text: five fields (minute, hour, day of month, month, day of week) or six.
        zone: the time zone in which it is meant, such as Europe/Berlin; None: the server's.
        server_zone: the time zone in which the server reads schedules.
        now: the time; None: now.

    Raises:
        ConfigError: it is no such expression, or it is meant in another time zone than the server's.
    """
    fields = text.split()
    if len(fields) not in (5, 6):
        raise ConfigError(f"cron {text!r} has {len(fields)} fields; expected 5 (minute first) or 6 (second first)")
    fields = ["0", *fields][-6:]
    for written, (name, lowest, highest, names) in zip(fields, _FIELDS, strict=True):
        if not all(_is_valid(part.lower(), lowest, highest, names) for part in written.split(",")):
            raise ConfigError(
                f"cron {text!r}: {written!r} is no {name}; expected {lowest} to {highest}, *, ranges or lists"
            )
    if zone is not None and zone != server_zone:
        raise ConfigError(_refusal(fields, _zone(zone), _zone(server_zone), now or datetime.now(UTC)))
    return " ".join(fields)


def _is_valid(part: str, lowest: int, highest: int, names: Sequence[str]) -> bool:
    match = _PART.fullmatch(part)
    ends = [end for end in match.groups() if end] if match else ["no match"]
    numbers = [names.index(end) + lowest if end in names else int(end) if end.isdigit() else -1 for end in ends]
    return numbers == sorted(numbers) and all(lowest <= number <= highest for number in numbers)


def _refusal(fields: Sequence[str], zone: ZoneInfo, server_zone: ZoneInfo, now: datetime) -> str:
    def ahead(moment: datetime) -> timedelta:
        """How much the clocks of the zone are ahead of the server's."""
        here, there = (moment.astimezone(clock).utcoffset() or timedelta() for clock in (zone, server_zone))
        return here - there

    advice = f"write --cron by the clocks of {server_zone}"
    if (same := _moved(fields, ahead(now))) is not None:
        noons = (datetime.combine(now.astimezone(zone) + timedelta(day), time(12), zone) for day in range(400))
        change = next((noon.date() for noon in noons if ahead(noon) != ahead(now)), None)
        until = f" until {change}, when clocks change" if change is not None else ""
        advice = f"`--cron '{same}'` is {int(fields[2]):02}:{int(fields[1]):02} {zone}{until}"
    return (
        f"--tz {zone}: the server reads {server_zone} and no other time zone; {advice}. Or let the server read {zone}: "
        "CRON_SCHEDULE_TIMEZONE of its scheduled workflow controller, and cluster.time_zone in the config"
    )


def _moved(fields: Sequence[str], ahead: timedelta) -> str | None:
    """The same moments by clocks that are `ahead` behind; None where minute, hour or day are not plain enough."""
    second, minute, hour, day, month, weekday = fields
    if not (minute.isdigit() and hour.isdigit()):
        return None
    days, minutes = divmod(int(hour) * 60 + int(minute) - int(ahead / timedelta(minutes=1)), 24 * 60)
    if days and (day, month, weekday) != ("*", "*", "*"):
        if (day, month) != ("*", "*") or not weekday.isdigit():
            return None
        weekday = str((int(weekday) + days) % 7)
    moved = f"{minutes % 60} {minutes // 60} {day} {month} {weekday}"
    return moved if second == "0" else f"{second} {moved}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"time zone {name!r} is not known; expected a name such as Europe/Berlin or UTC") from None
