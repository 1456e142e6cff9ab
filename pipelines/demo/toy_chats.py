"""Chats as rows: a list of messages, ready for a chat template or a JSONL file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict


class ToyMessage(TypedDict):
    """One turn of a chat; `role` is system, user or assistant."""

    role: str
    content: str


class ToyChat(TypedDict):
    """One row of a training file."""

    messages: list[ToyMessage]


def chat(prompt: str, answer: str, system: str | None = None) -> ToyChat:
    """One question and its answer, after a system prompt if there is one."""
    opening = [ToyMessage(role="system", content=system)] if system is not None else []
    turns = [ToyMessage(role="user", content=prompt), ToyMessage(role="assistant", content=answer)]
    return ToyChat(messages=[*opening, *turns])


def write_jsonl(path: Path, rows: Iterable[object]) -> Path:
    """Write one JSON object per line (UTF-8, newline at the end) and return the path."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return path
