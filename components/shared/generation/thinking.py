"""Splits what a model wrote into its reasoning and its final text. Pure text; needs no library."""

import re
from typing import NamedTuple

_BLOCKS = (("<think>", "</think>"), ("[THINK]", "[/THINK]"))
"""Marks around a thought: Qwen, DeepSeek and most others; Mistral's Magistral."""
_STARTS = tuple(start for start, _ in _BLOCKS)
_ENDS = tuple(end for _, end in _BLOCKS)
_MARK = re.compile(f"({'|'.join(re.escape(mark) for mark in (*_STARTS, *_ENDS))})")
_CHANNEL = re.compile(
    r"(?:^|<\|channel\|>)(\w++)[^<]*+<\|message\|>(.*?)(?=<\|end\|>|<\|return\|>|<\|call\|>|<\|start\|>|\Z)", re.S
)
"""A message of the harmony format (gpt-oss): its channel and its text."""


class Thought(NamedTuple):
    """What a model wrote.

    Attributes:
        reasoning: what it thought.
        final: what it answered.
        unfinished: whether its thought never came to an answer.
        marked: whether the text held marks of thoughts or channels.
    """

    reasoning: str
    final: str
    unfinished: bool
    marked: bool


def opens_thought(prompt: str) -> bool:
    """Whether a prompt ends inside a thought that the model is to continue (DeepSeek-R1 distills)."""
    return prompt.rstrip().endswith(_STARTS)


def closing_of(prompt: str) -> str:
    """The text that closes the thought at a prompt's end."""
    end = next(end for start, end in _BLOCKS if prompt.rstrip().endswith(start))
    return f"\n{end}\n\n"


def without_opening(answer: str) -> str:
    """An answer without the mark that opens its thought, as it goes on after a prompt that opened the thought."""
    start = next((start for start in _STARTS if answer.lstrip().startswith(start)), "")
    return answer.lstrip().removeprefix(start).removeprefix("\n") if start else answer


def has_thought(text: str) -> bool:
    """Whether a text holds the marks of a thought."""
    return _MARK.search(text) is not None


def has_channels(text: str) -> bool:
    """Whether a text is in the harmony format."""
    return "<|channel|>" in text


def split_thought(text: str, opened: bool, channels: bool = False) -> Thought:
    """The reasoning and the final text of an answer.

    Args:
        text: all that was generated, special tokens included, without the end token.
        opened: whether the prompt ended inside a thought.
        channels: whether the model is to answer in the harmony format.
    """
    if has_channels(text) or channels:
        messages = _CHANNEL.findall(text)
        reached = any(channel == "final" for channel, _ in messages)
        final = "".join(said for channel, said in messages if channel == "final")
        reasoning = "\n".join(said.strip() for channel, said in messages if channel != "final")
        return Thought(reasoning if messages else text.strip(), final.strip(), not reached, True)
    thoughts: list[str] = []
    said: list[str] = []
    thinking = opened
    parts = _MARK.split(text)
    for part in parts:
        if part in _STARTS:
            thinking = True
        elif part in _ENDS:
            if not thinking:  # the prompt opened the thought out of sight
                thoughts.extend(said)
                said.clear()
            thinking = False
        else:
            (thoughts if thinking else said).append(part)
    final = "".join(said).strip()
    reasoning = "\n".join(each.strip() for each in thoughts if each.strip())
    return Thought(reasoning, final, thinking and not final, opened or len(parts) > 1)
