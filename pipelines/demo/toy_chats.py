"""Chats as rows: a list of messages, ready for a chat template or a JSONL file.

Knows nothing of what is asked or answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict


class Message(TypedDict):
    """One turn of a chat; `role` is system, user or assistant."""

    role: str
    content: str


class Chat(TypedDict):
    """One row of a training file."""

    messages: list[Message]


def chat(prompt: str, answer: str, system: str | None = None) -> Chat:
    """One question and its answer, after a system prompt if there is one."""
    opening = [Message(role="system", content=system)] if system is not None else []
    turns = [Message(role="user", content=prompt), Message(role="assistant", content=answer)]
    return Chat(messages=[*opening, *turns])


def user_text(row: Chat) -> str:
    """What the user says in a row."""
    return next(turn["content"] for turn in row["messages"] if turn["role"] == "user")


def write_jsonl(path: Path, rows: Iterable[object]) -> Path:
    """Write one JSON object per line (UTF-8, newline at the end) and return the path."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return path
