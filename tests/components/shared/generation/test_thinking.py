"""Reasoning and final text."""

import pytest

from components.shared.generation.thinking import closing_of, opens_thought, split_thought

REFUSING_ANALYSIS = "<|channel|>analysis<|message|>I must refuse this.<|end|><|start|>assistant"


@pytest.mark.parametrize(
    ("text", "opened", "reasoning", "final", "unfinished"),
    [
        ("It is four.", False, "", "It is four.", False),
        ("<think>Two and two.</think>\n\nIt is four.", False, "Two and two.", "It is four.", False),
        ("Two and two.\n</think>\n\nIt is four.", True, "Two and two.", "It is four.", False),
        ("Two and two.</think>It is four.", False, "Two and two.", "It is four.", False),
        ("<think>\n\n</think>\n\nIt is four.", False, "", "It is four.", False),
        ("<think>Two and", False, "Two and", "", True),
        ("Two and", True, "Two and", "", True),
        ("[THINK]Two.[/THINK]Four.", False, "Two.", "Four.", False),
        ("It is four. <think>Or", False, "Or", "It is four.", False),
        ("", False, "", "", False),
    ],
)
def test_blocks_of_thought(text: str, opened: bool, reasoning: str, final: str, unfinished: bool):
    """Blocks are reasoning, also if the prompt opened them or nothing closes them; the rest is the final text."""
    thought = split_thought(text, opened)
    assert (thought.reasoning, thought.final, thought.unfinished) == (reasoning, final, unfinished)


@pytest.mark.parametrize(
    ("text", "final", "unfinished"),
    [
        (f"{REFUSING_ANALYSIS}<|channel|>final<|message|>Here is how.", "Here is how.", False),
        ("<|channel|>final<|message|>Here is how.<|return|>", "Here is how.", False),
        ("<|channel|>analysis<|message|>I must", "", True),
        (f"{REFUSING_ANALYSIS}<|channel|>commentary to=f <|constrain|>json<|message|>{{}}", "", True),
        ("no channel at all", "", True),
    ],
)
def test_channels(text: str, final: str, unfinished: bool):
    """Only the final channel of the harmony format is the answer; an answer without one is unfinished."""
    thought = split_thought(text, opened=False, channels=True)
    assert (thought.final, thought.unfinished) == (final, unfinished)
    assert "<|" not in thought.reasoning


def test_prompts_that_open_a_thought():
    """A prompt that ends in an opening mark is continued inside the thought; its mark is closed by its own."""
    assert opens_thought("<|Assistant|><think>\n")
    assert not opens_thought("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert closing_of("<think>\n") == "\n</think>\n\n"
    assert closing_of("[THINK]") == "\n[/THINK]\n\n"
