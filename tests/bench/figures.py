"""Pure functions from runs to figures: medians, ratios within a round, decode steps that a static batch wastes."""

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from processes import Run


class Spread(NamedTuple):
    """Median and range of a few measurements."""

    median: float
    low: float
    high: float

    def shown(self, digits: int) -> str:
        """Such as 2.91 (2.80 to 3.02)."""
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"


def spread(values: Sequence[float]) -> Spread:
    """Median, smallest, largest."""
    return Spread(statistics.median(values), min(values), max(values))


def ratios(peer: Sequence[Run], ours: Sequence[Run], figure: Callable[[Run], float]) -> Spread:
    """How many times larger a peer's figure is than ours, round by round."""
    return spread([figure(theirs) / figure(other) for theirs, other in zip(peer, ours, strict=True)])


def wasted_share(lengths: Sequence[int], batches: Sequence[Sequence[int]]) -> float:
    """Share of a static batch's row steps that are spent on rows that have ended.

    Args:
        lengths: tokens of each answer, with its end token.
        batches: places of the answers that are drawn together; a batch takes as many steps as its longest answer.
    """
    steps = sum(len(batch) * max(lengths[place] for place in batch) for batch in batches)
    return 1 - sum(lengths[place] for batch in batches for place in batch) / steps


def chunks(places: Sequence[int], size: int) -> list[Sequence[int]]:
    """Consecutive batches of a fixed size; the last may be smaller."""
    return [places[start : start + size] for start in range(0, len(places), size)]


class World(NamedTuple):
    """The benchmark's prompts, by what the figures need."""

    prompts: list[str]
    answers: list[str]

    @property
    def answer_steps(self) -> list[int]:
        """Decode steps of each greedy answer, with its end token; the longest answers are cut before it."""
        return [min(256, len(answer.split()) + 1) for answer in self.answers]

    @property
    def longest_first(self) -> list[int]:
        """Places of the prompts, longest prompt first."""
        return sorted(range(len(self.prompts)), key=lambda place: -len(self.prompts[place].split()))


def read_world(folder: Path) -> World:
    """The prompts that `world.py` has written."""
    rows = [json.loads(line) for line in (folder / "prompts.jsonl").read_text().splitlines()]
    return World([row["prompt"] for row in rows], [row["answer"] for row in rows])
