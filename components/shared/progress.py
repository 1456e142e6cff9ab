"""Progress of a running step, as whole lines with the stage in front.

Steps run in subprocesses or pods, so a line comes at most every few seconds. The launcher tells these lines from other
output by their shape (`stage_of`) and draws bars on a terminal from those that count (`read_count`).
"""

import re
import sys
import time
from collections.abc import Callable
from typing import NamedTuple, TextIO

from components.shared.texts.shown import on_console

Say = Callable[[str], None]

_LINE = re.compile(r"^\s*\[(?P<stage>[a-z][a-z0-9_]*)\] (?P<text>.*)")
_COUNT = re.compile(r"(?P<text>(?P<done>\d[\d,]*)/(?P<total>\d[\d,]*) .+?)(, [^,]+ left)?$")


class Count(NamedTuple):
    """A line of `Progress`, read back."""

    done: int
    total: int
    text: str
    """The line without stage and remaining time, e.g. "40/500 steps, loss 0.512"."""


def speaker(stage: str, stream: TextIO | None = None) -> Say:
    """A function that prints one line with the stage in front, flushed at once; to standard output if not said."""

    def say(text: str) -> None:
        for line in text.splitlines() or [""]:
            print(f"[{stage}] {on_console(line)}", file=stream, flush=True)

    return say


def stage_of(line: str) -> str | None:
    """The stage that printed a line through a `speaker`; None for any other output."""
    match = _LINE.match(line)
    return match["stage"] if match is not None else None


def read_count(line: str) -> Count | None:
    """The count in a line of `Progress`; None for any other line."""
    match = _LINE.match(line)
    count = _COUNT.match(match["text"]) if match is not None else None
    if count is None:
        return None
    done, total = (int(count[name].replace(",", "")) for name in ("done", "total"))
    return Count(done, total, count["text"])


def duration(seconds: float) -> str:
    """A duration as text: "75 s", from 90 s on "2 min 10 s", from an hour on "1 h 5 min"."""
    whole = round(seconds)
    if whole <= 90:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class Progress:
    """Counts towards a known total and prints the count every `every_s` seconds, with the remaining time.

    The first line has no remaining time: start-up would distort it. Later lines estimate it from the rate since then.

    Args:
        say: where a line goes.
        noun: what is counted, in the plural ("answers").
        total: how many there will be.
        every_s: seconds between lines.
        clock: seconds, rising; replaced in tests.
        done: how many were there before.
    """

    def __init__(
        self,
        say: Say,
        noun: str,
        total: int,
        every_s: float = 4.0,
        clock: Callable[[], float] = time.monotonic,
        done: int = 0,
    ) -> None:
        self._say, self._noun, self._total, self._every_s = say, noun, total, every_s
        self._clock = clock
        self._start = self._last = clock()
        self._done = done
        self._first: tuple[float, int] | None = None
        """Time and count of the first line."""

    def advance(self, count: int, extra: str = "") -> None:
        """Counts `count` more, and prints a line with `extra` if one is due."""
        self._done += count
        now = self._clock()
        if now - self._last < self._every_s and self._done < self._total:
            return
        self._last = now
        parts = [f"{self._done:,}/{self._total:,} {self._noun}", extra, self._time(now)]
        self._say(", ".join(part for part in parts if part))

    def _time(self, now: float) -> str:
        """The whole time at the end, before it the remaining time, and nothing where that is unknown."""
        if self._done >= self._total:
            return duration(now - self._start)
        if self._first is None:
            self._first = (now, self._done)
        since, before = self._first
        if self._done == before:
            return ""
        return f"{duration((now - since) / (self._done - before) * (self._total - self._done))} left"


def warn(text: str) -> None:
    """Prints a warning on standard error."""
    print(f"warning: {on_console(text)}", file=sys.stderr, flush=True)  # noqa: T201
