"""Cron expressions for a server that knows one time zone."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.errors import ConfigError
from pipelines.cluster.cron import cron_of, translate

WINTER = datetime(2026, 11, 21, 12, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)
MARCH, OCTOBER = date(2027, 3, 28), date(2026, 10, 25)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 3 * * 1", "0 0 3 * * 1"),
        ("30 0 3 * * 1", "30 0 3 * * 1"),
        ("*/15 1-5,22 ? JAN-MAR MON", "0 */15 1-5,22 ? JAN-MAR MON"),
        ("0 9-17/2 1/10 * mon-fri", "0 0 9-17/2 1/10 * mon-fri"),
    ],
)
def test_five_fields_get_a_second(text: str, expected: str):
    """The server wants seconds first; five fields get second 0, six stay as they are."""
    assert cron_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "0 3 * *", "0 0 3 * * 1 2026", "61 3 * * 1", "0 24 * * 1", "0 3 0 * *", "0 3 * * $", "0 3 * * 7"),
        *("0 3 * FEBRUARY *", "0 5-3 * * *", "*/0 3 * * *", "0 3 , * *", "0 -3 * * *", "0 ² * * *", "0 3 * MON *"),
    ],
)
def test_no_cron_is_refused(text: str):
    """Too few or too many fields, times that do not exist and other characters are named."""
    with pytest.raises(ConfigError, match="cron"):
        cron_of(text)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", ""])
def test_an_unknown_zone_is_refused(zone: str):
    """A time zone that does not exist, or tries to be a path, is named; the server's too."""
    with pytest.raises(ConfigError, match="time zone"):
        translate("0 3 * * 1", zone, "UTC")
    with pytest.raises(ConfigError, match="time zone"):
        translate("0 3 * * 1", "UTC", zone)


@pytest.mark.parametrize(
    ("text", "zone", "now", "expected", "until"),
    [
        ("0 3 * * 1", "Europe/Berlin", WINTER, "0 0 2 * * 1", MARCH),
        ("0 3 * * 1", "Europe/Berlin", SUMMER, "0 0 1 * * 1", OCTOBER),
        ("0 1 * * MON", "Europe/Berlin", SUMMER, "0 0 23 * * 0", OCTOBER),  # Sunday evening, by the server's clocks
        ("0 20 * * fri,sat", "America/New_York", WINTER, "0 0 1 * * 0,6", date(2027, 3, 14)),
        ("0 3 * * *", "Asia/Tokyo", WINTER, "0 0 18 * * *", None),  # no summer time there
        ("0 3 1 * *", "Asia/Tokyo", WINTER, None, None),  # on the last day of the month before
        ("45 3,22 * * *", "Asia/Kolkata", WINTER, "0 15 17,22 * * *", None),
        ("15,45 3 * * *", "Asia/Kolkata", WINTER, None, None),  # 21:45 and 22:15
        ("15,45 * * * *", "Asia/Kolkata", WINTER, "0 15,45 * * * *", None),
        ("0 */6 * * 1", "Europe/Berlin", WINTER, None, None),  # midnight is Sunday there
        ("0 */6 * * *", "Europe/Berlin", WINTER, "0 0 5,11,17,23 * * *", MARCH),
        ("*/20 * * * *", "Europe/Berlin", WINTER, "0 */20 * * * *", None),  # right whatever the clocks say
        ("0 3 1 * *", "UTC", WINTER, "0 0 3 1 * *", None),
        ("0 3 1 * *", "Etc/UTC", WINTER, "0 0 3 1 * *", None),
        ("0 3 1 1 *", "Europe/London", WINTER, "0 0 3 1 1 *", MARCH),
        ("0 3 1 * 1", "Europe/Berlin", WINTER, "0 0 2 1 * 1", MARCH),
    ],
)
def test_times_of_another_zone_are_rewritten(
    text: str, zone: str, now: datetime, expected: str | None, until: date | None
):
    """By the hours between the zones today, with the day from which on that is wrong; or refused with the cure."""
    if expected is None:
        with pytest.raises(ConfigError, match=r"is no one expression .* UTC: .*cluster\.time_zone"):
            translate(text, zone, "UTC", now)
        return
    assert translate(text, zone, "UTC", now) == (expected, until)


def test_a_server_that_reads_the_zone_gets_it_unchanged():
    """With CRON_SCHEDULE_TIMEZONE set there is nothing to rewrite, and nothing to warn of."""
    assert translate("0 3 1 * *", "Europe/Berlin", "Europe/Berlin", SUMMER) == ("0 0 3 1 * *", None)
    assert translate("0 3 * * *", "Europe/Paris", "Europe/Berlin", SUMMER) == ("0 0 3 * * *", None)


def test_zones_are_known_where_the_system_has_none():
    """A slim image has no /usr/share/zoneinfo; the zones come with the package tzdata."""
    script = (
        "from pipelines.cluster.cron import translate; print(translate('0 3 1 * *', 'Asia/Tokyo', 'Asia/Tokyo').cron)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "0 0 3 1 * *", done.stderr


def _fires(cron: str, time: datetime) -> bool:
    """An own, slow reading of `*` and lists: day of month and of week both where both are limited, else either."""

    def holds(field: str, value: int) -> bool:
        return field == "*" or value in map(int, field.split(","))

    _, minute, hour, day, month, weekday = cron.split()
    on_day, on_weekday = holds(day, time.day), holds(weekday, time.isoweekday() % 7)
    right_day = on_day or on_weekday if "*" not in (day, weekday) else on_day and on_weekday
    return holds(minute, time.minute) and holds(hour, time.hour) and holds(month, time.month) and right_day


def _lists(lowest: int, highest: int):
    some = st.sets(st.integers(lowest, highest), min_size=1, max_size=3)
    return st.just("*") | some.map(lambda values: ",".join(map(str, sorted(values))))


@given(
    fields=st.tuples(
        *(_lists(0, 59).filter(lambda own: own != "*"), _lists(0, 23), _lists(1, 31), _lists(1, 12), _lists(0, 6))
    ),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Asia/Tokyo"]),
    start=st.integers(0, 30),
)
def test_what_is_rewritten_fires_at_the_same_moments(fields: tuple[str, ...], zone: str, start: int):
    """Over eight winter days: the rewritten expression by the server's clocks, and the first by the zone's."""
    text = " ".join(fields)
    try:
        cron, _ = translate(text, zone, "UTC", WINTER)
    except ConfigError:
        return
    begin = WINTER + timedelta(days=start)
    minutes = sorted({int(own) for cronfield in (cron.split()[1], fields[0]) for own in cronfield.split(",")})
    for hour in range(8 * 24):
        for minute in minutes:
            moment = (begin + timedelta(hours=hour)).replace(minute=minute)
            local = moment.astimezone(ZoneInfo(zone))
            assert _fires(cron, moment) == _fires(f"0 {text}", local), (cron, moment)
