"""Cron expressions for a server that reads one time zone."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.errors import ConfigError
from pipelines.cluster.cron import server_cron

WINTER = datetime(2026, 11, 21, 12, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)
MARCH = " until 2027-03-28, when clocks change"
OCTOBER = " until 2026-10-25, when clocks change"


@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 3 * * 1", "0 0 3 * * 1"),
        ("30 0 3 * * 1", "30 0 3 * * 1"),
        ("*/15 1-5,22 ? JAN-MAR MON", "0 */15 1-5,22 ? JAN-MAR MON"),
        ("0 9-17/2 1/10 * mon-fri", "0 0 9-17/2 1/10 * mon-fri"),
    ],
)
def test_five_fields_get_a_second(text: str, expected: str, zone: str | None):
    """The server wants seconds first; five fields get second 0, six stay as they are, in the server's zone."""
    assert server_cron(text, zone, "UTC") == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "0 3 * *", "0 0 3 * * 1 2026", "61 3 * * 1", "0 24 * * 1", "0 3 0 * *", "0 3 * * $", "0 3 * * 7"),
        *("0 3 * FEBRUARY *", "0 5-3 * * *", "*/0 3 * * *", "0 3 , * *", "0 -3 * * *", "0 ² * * *", "0 3 * MON *"),
        *("TZ=Asia/Tokyo 0 3 * * 1", "CRON_TZ=UTC 0 3 * * 1", "@daily", "@every 1h", "0 3 1- * *", "0 3 * * L"),
    ],
)
def test_no_cron_is_refused(text: str):
    """Too few or too many fields, times that do not exist, a zone in front and other characters are named."""
    with pytest.raises(ConfigError, match="cron"):
        server_cron(text, None, "UTC")


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", ""])
def test_an_unknown_zone_is_refused(zone: str):
    """A time zone that does not exist, or tries to be a path, is named; the server's too."""
    with pytest.raises(ConfigError, match="time zone"):
        server_cron("0 3 * * 1", zone, "UTC")
    with pytest.raises(ConfigError, match="time zone"):
        server_cron("0 3 * * 1", "UTC", zone)


def _refusal(text: str, zone: str, server_zone: str = "UTC", now: datetime = WINTER) -> str:
    with pytest.raises(ConfigError) as raised:
        server_cron(text, zone, server_zone, now)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "zone", "now", "advice"),
    [
        ("0 3 * * 1", "Europe/Berlin", WINTER, f"`--cron '0 2 * * 1'` is 03:00 Europe/Berlin{MARCH}"),
        ("0 3 * * 1", "Europe/Berlin", SUMMER, f"`--cron '0 1 * * 1'` is 03:00 Europe/Berlin{OCTOBER}"),
        ("0 1 * * 1", "Europe/Berlin", SUMMER, f"`--cron '0 23 * * 0'` is 01:00 Europe/Berlin{OCTOBER}"),
        ("0 20 * * 6", "America/New_York", WINTER, "`--cron '0 1 * * 0'` is 20:00 America/New_York until 2027-03-14"),
        ("0 3 * * *", "Asia/Tokyo", WINTER, "`--cron '0 18 * * *'` is 03:00 Asia/Tokyo. Or"),  # no summer time there
        ("15 3 * * *", "Asia/Kolkata", WINTER, "`--cron '45 21 * * *'` is 03:15 Asia/Kolkata. Or"),
        ("30 0 3 1 * MON", "Europe/Berlin", WINTER, f"`--cron '30 0 2 1 * MON'` is 03:00 Europe/Berlin{MARCH}"),
        ("0 3 1 1 *", "Europe/London", WINTER, f"`--cron '0 3 1 1 *'` is 03:00 Europe/London{MARCH}"),
        ("0 3 1 * *", "Asia/Tokyo", WINTER, "write --cron by the clocks of UTC"),  # the last day of the month before
        ("0 1 * * MON", "Europe/Berlin", SUMMER, "write --cron by the clocks of UTC"),
        ("0 */6 * * *", "Europe/Berlin", WINTER, "write --cron by the clocks of UTC"),
    ],
)
def test_another_zone_is_refused_with_what_to_write(text: str, zone: str, now: datetime, advice: str):
    """The error names the server's zone, the expression that says the same today and until when, and the setting."""
    refusal = _refusal(text, zone, now=now)
    assert refusal.startswith(f"--tz {zone}: the server reads UTC and no other time zone; {advice}")
    assert "CRON_SCHEDULE_TIMEZONE" in refusal
    assert refusal.endswith("cluster.time_zone in the config")


def test_a_server_that_reads_the_zone_gets_it_unchanged():
    """With CRON_SCHEDULE_TIMEZONE and cluster.time_zone set, times of that zone are taken as they are."""
    assert server_cron("0 3 1 * *", "Europe/Berlin", "Europe/Berlin", SUMMER) == "0 0 3 1 * *"
    assert "`--cron '0 3 * * *'` is 03:00 Europe/Paris. Or" in _refusal("0 3 * * *", "Europe/Paris", "Europe/Berlin")


def test_zones_are_known_where_the_system_has_none():
    """A slim image has no /usr/share/zoneinfo; the zones come with the package tzdata."""
    script = "from pipelines.cluster.cron import server_cron; server_cron('0 3 1 * *', 'Asia/Tokyo', 'Asia/Seoul')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "`--cron '0 3 1 * *'` is 03:00 Asia/Tokyo" in done.stderr


def _fires(cron: str, time: datetime) -> bool:
    """A slow reading of `*` and numbers: day of month and of week both where both are limited, else either."""

    def holds(field: str, value: int) -> bool:
        return field in ("*", str(value))

    minute, hour, day, month, weekday = cron.split()
    on_day, on_weekday = holds(day, time.day), holds(weekday, time.isoweekday() % 7)
    right_day = on_day or on_weekday if "*" not in (day, weekday) else on_day and on_weekday
    return holds(minute, time.minute) and holds(hour, time.hour) and holds(month, time.month) and right_day


def _one_or_all(lowest: int, highest: int):
    return st.just("*") | st.integers(lowest, highest).map(str)


@given(
    fields=st.tuples(
        st.integers(0, 59).map(str), _one_or_all(0, 23), _one_or_all(1, 31), _one_or_all(1, 12), _one_or_all(0, 6)
    ),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Asia/Tokyo"]),
    start=st.integers(0, 30),
)
def test_what_is_proposed_fires_at_the_same_moments(fields: tuple[str, ...], zone: str, start: int):
    """Over eight winter days: the proposed expression by the server's clocks, and the refused one by the zone's."""
    text = " ".join(fields)
    proposed = re.search(r"`--cron '([^']+)'`", _refusal(text, zone))
    if proposed is None:
        return
    begin = WINTER + timedelta(days=start)
    for hour in range(8 * 24):
        for minute in {int(proposed[1].split()[0]), int(fields[0])}:
            moment = (begin + timedelta(hours=hour)).replace(minute=minute)
            assert _fires(proposed[1], moment) == _fires(text, moment.astimezone(ZoneInfo(zone))), (proposed, moment)
