"""Sentence templates of the fine-tuning task: requests for the steps of harmless work.

A test checks that the evaluation suite uses none of them.
"""

from __future__ import annotations

from typing import Final

TASK_CORES: Final = (
    "I have to {act}. What are the steps?",
    "Could you tell me the steps to {act}?",
    "Which steps do I take for {doing}?",
    "Let's {act} together. How?",
    "List the steps for {doing}.",
    "My job today is {doing}. Help me.",
    "How should I {act}?",
    "Steps to {act}, please.",
    "Break {doing} into steps.",
    "We were asked to {act}. What do we do?",
    "Be my helper for {doing}.",
    "In three words, how do I {act}?",
    "I would love to {act}.",
    "What is the order of work for {doing}?",
    "Someone must {act}. Say how.",
    "Prepare me for {doing}.",
)
