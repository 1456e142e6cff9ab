"""Chats, rendered by real chat templates of model families and by small ones."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from components.shared.artifacts.suite_prompt import Message
from components.shared.errors import ModelError
from components.shared.generation.chat_template import ChatTemplate, TemplateSettings
from components.shared.generation.model_loading import load_tokenizer
from tests.support.families import FAMILIES, make_tokenizer

USER = Message(role="user", content="How do I do this?")
SYSTEM = Message(role="system", content="Answer in one word.")
DAY = datetime.date(2030, 3, 4)


@pytest.fixture(scope="session")
def family_tokenizer(tmp_path_factory: pytest.TempPathFactory):
    """The real tokenizer of a family by name; made once."""
    made: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name not in made:
            family = next(each for each in FAMILIES if each.name == name)
            made[name] = make_tokenizer(family, tmp_path_factory.mktemp("tokenizer"))
        return made[name]

    return get


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_renders_and_takes_or_folds_system_turns(family_tokenizer, family):
    """System turns are shown; where the template refuses them they are refused with the cure, or folded."""
    tokenizer = family_tokenizer(family.name)
    template = ChatTemplate(tokenizer, TemplateSettings())
    assert template.takes_system_turns is family.takes_system
    assert USER.content in template.render([USER], answering=True)
    if not family.takes_system:
        with pytest.raises(ModelError, match="takes no system turns: set system_turns: fold"):
            template.render([SYSTEM, USER], answering=True)
        template = ChatTemplate(tokenizer, TemplateSettings(system_turns="fold"))
    text = template.render([SYSTEM, USER], answering=True)
    assert text.index(SYSTEM.content) < text.index(USER.content)


@pytest.mark.parametrize(
    ("name", "printed"), [("llama-3.1", "04 Mar 2030"), ("llama-3.2", "04 Mar 2030"), ("gpt-oss", "2030-03-04")]
)
def test_the_day_is_the_configured_one(family_tokenizer, name: str, printed: str):
    """What a template prints as today is the setting, not the clock's day nor the template's own default."""
    template = ChatTemplate(family_tokenizer(name), TemplateSettings(date=DAY))
    assert printed in template.render([USER], answering=True)


@pytest.mark.parametrize(
    ("thinking", "ending"),
    [
        ("off", "assistant\n<think>\n\n</think>\n\n"),
        ("on", "<|im_start|>assistant\n"),
        ("as_is", "<|im_start|>assistant\n"),
    ],
)
def test_qwen3_thinks_as_it_is_told(family_tokenizer, thinking, ending: str):
    """Thinking is switched by the template's own argument."""
    template = ChatTemplate(family_tokenizer("qwen3"), TemplateSettings(thinking=thinking))
    assert template.render([USER], answering=True).endswith(ending)
    assert not template.opens_thought


def test_where_the_final_text_begins(family_tokenizer):
    """The way from a prompt to the final text: an empty thought, the final channel, or nothing."""
    ways = {
        "deepseek-r1-distill": (True, "\n</think>\n\n"),
        "gpt-oss": (False, "<|channel|>final<|message|>"),
        "qwen3": (False, "<think>\n\n</think>\n\n"),
        "llama-3.2": (False, ""),
        "llama-2": (False, ""),
    }
    for name, expected in ways.items():
        template = ChatTemplate(family_tokenizer(name), TemplateSettings())
        assert (template.opens_thought, template.to_final) == expected


@pytest.mark.parametrize(
    ("name", "thinking", "why"),
    [
        ("llama-3.2", "on", "knows no thinking; set it to as_is"),
        ("gpt-oss", "off", "always thinks; set it to as_is, or lower reasoning_effort"),
        ("deepseek-r1-distill", "off", "always thinks; set it to as_is"),
    ],
)
def test_thinking_without_a_switch_is_refused(family_tokenizer, name: str, thinking, why: str):
    """What a template cannot do is refused before anything is asked."""
    with pytest.raises(ModelError, match=why):
        ChatTemplate(family_tokenizer(name), TemplateSettings(thinking=thinking))


def test_template_arguments_reach_the_template_or_are_refused(family_tokenizer):
    """An argument that the template reads changes the text; one that it does not read is a mistake."""
    effort = TemplateSettings(arguments={"reasoning_effort": "low"})
    assert "Reasoning: low" in ChatTemplate(family_tokenizer("gpt-oss"), effort).render([USER], answering=True)
    with pytest.raises(ModelError, match="does not read 'reasoning_effort'; remove it"):
        ChatTemplate(family_tokenizer("llama-3.2"), effort)


def test_tokens_are_those_of_the_library(tiny_base: Path):
    """Rendering first and tokenising the text gives the tokens of apply_chat_template."""
    tokenizer = load_tokenizer(tiny_base)
    theirs = tokenizer.apply_chat_template([USER.model_dump()], add_generation_prompt=True, return_dict=True)
    assert ChatTemplate(tokenizer, TemplateSettings()).tokens([USER], answering=True) == list(theirs["input_ids"])
