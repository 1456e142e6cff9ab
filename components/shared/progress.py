"""What a person sees of a running step: one line each, with the stage in front.

Steps run in subprocesses or pods, where a redrawn bar is noise; so progress is whole lines, at most one
every few seconds. The launcher recognises them by their shape (`is_progress`) and shows just these on a
terminal, while everything else goes to the log. This module does not know what a stage does.
"""

import re
import sys
import time
from collections.abc import Callable

Say = Callable[[str], None]

_LINE = re.compile(r"^\s*\[[a-z_]+\] ")


def speaker(stage: str) -> Say:
    """A function that prints one line with the stage in front, flushed at once."""

    def say(text: str) -> None:
        for line in text.splitlines() or [""]:
            print(f"[{stage}] {line}", flush=True)  # noqa: T201 - this is the one place that prints

    return say


def is_progress(line: str) -> bool:
    """Whether a line of output was made by a `speaker`."""
    return _LINE.match(line) is not None


class Progress:
    """Counts towards a known total and says so every `every_s` seconds, with the time that is left.

    Args:
        say: where a line goes.
        noun: what is counted, in the plural ("answers").
        total: how many there will be.
        every_s: seconds between lines.
        clock: seconds, rising; replaced in tests.
        done: how many were there before; the time that is left is reckoned from the others.
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
        self.done = self._before = done

    def advance(self, count: int, extra: str = "") -> None:
        """Counts `count` more, and says where things stand if it is time to."""
        self.done += count
        now = self._clock()
        if now - self._last < self._every_s and self.done < self._total:
            return
        self._last = now
        spent = now - self._start
        counted = self.done - self._before
        left = spent / counted * (self._total - self.done) if counted else 0.0
        tail = f"{spent:.0f} s" if self.done >= self._total else f"{left:.0f} s left"
        middle = f"{extra}, " if extra else ""
        self._say(f"{self.done:,}/{self._total:,} {self._noun}, {middle}{tail}")


def warn(text: str) -> None:
    """Prints a warning on standard error."""
    print(f"warning: {text}", file=sys.stderr, flush=True)  # noqa: T201
