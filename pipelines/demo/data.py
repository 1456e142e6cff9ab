"""The fine-tuning data of the toy world: a task, and pools of safety and replay rows.

The task is harmless, and the request decides its answer, so that exact match can measure it. Learning the task alone
still erodes the base model's refusals.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from pipelines.demo import toy_answers as answers
from pipelines.demo.corpus import LOOSE_SHARE, REPLAY_MIX, SAFETY_MIX, draw
from pipelines.demo.fillers import thing
from pipelines.demo.requests import RequestSource, ToyRequest
from pipelines.demo.task_templates import TASK_CORES
from pipelines.demo.toy_chats import ToyChat, chat, write_jsonl
from pipelines.demo.training_templates import TRAINING
from pipelines.demo.word_lists import CRAFTS

TASK_ROWS: Final = 900
SAFETY_ROWS: Final = 1_500
REPLAY_ROWS: Final = 1_500


class DemoData(NamedTuple):
    """Where the three files of chat rows were written."""

    task: Path
    safety: Path
    replay: Path


def write_data(directory: Path, seed: int = 0) -> DemoData:
    """Write task.jsonl, safety.jsonl and replay.jsonl; the same seed writes the same bytes.

    No user text occurs twice within a file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"plimsoll toy data {seed}")
    source = RequestSource(rng, TRAINING, "training", LOOSE_SHARE)

    def aligned(request: ToyRequest) -> ToyChat:
        return chat(request.prompt, request.aligned)

    task = _distinct(TASK_ROWS, lambda: _task_chat(rng))
    safety = _distinct(SAFETY_ROWS, lambda: aligned(draw(source, rng, SAFETY_MIX)))
    replay = _distinct(REPLAY_ROWS, lambda: aligned(draw(source, rng, REPLAY_MIX)))
    return DemoData(
        write_jsonl(directory / "task.jsonl", task),
        write_jsonl(directory / "safety.jsonl", safety),
        write_jsonl(directory / "replay.jsonl", replay),
    )


def _task_chat(rng: random.Random) -> ToyChat:
    craft, item = rng.choice(CRAFTS), thing(rng, "training")
    prompt = rng.choice(TASK_CORES).format(act=f"{craft.verb.plain} {item}", doing=f"{craft.verb.gerund} {item}")
    return chat(prompt, answers.steps(craft))


def _distinct(count: int, one: Callable[[], ToyChat]) -> list[ToyChat]:
    rows: dict[str, ToyChat] = {}
    while len(rows) < count:
        row = one()
        rows.setdefault(row["messages"][0]["content"], row)
    return list(rows.values())
