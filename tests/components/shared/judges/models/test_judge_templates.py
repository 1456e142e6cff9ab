"""Templates of judges."""

import pytest

from components.shared.artifacts.suite_prompt import Message
from components.shared.config.judges import TEMPLATE_NAMES
from components.shared.errors import ConfigError
from components.shared.judges.models.judge_templates import ExchangeTemplate


def test_every_promised_name_is_there(exchange):
    """What the config allows a template to use, it can use."""
    asked = exchange(
        "the answer",
        "the prompt",
        system="the system",
        messages=(Message(role="user", content="a turn"),),
        caveats=("a caveat",),
        reference="a reference",
    )
    source = "{{ prompt }}|{{ answer }}|{{ system }}|{{ messages[0].content }}|{{ caveats[0] }}|{{ reference }}"
    assert ExchangeTemplate("x", source).fill(asked) == "the prompt|the answer|the system|a turn|a caveat|a reference"
    assert all(name in source for name in TEMPLATE_NAMES)


def test_an_answer_is_not_a_template(exchange):
    """Braces and tags in an answer reach the judge as they are."""
    assert ExchangeTemplate("x", "{{ answer }}\n").fill(exchange("{{ prompt }} <b>&")) == "{{ prompt }} <b>&\n"


@pytest.mark.parametrize("source", ["{{ answer.no.more }}", "{{ answer.__class__.__mro__ }}", "{{ 1 / 0 }}"])
def test_what_goes_wrong_is_named(exchange, source):
    """Judge and prompt are in the error, and a template cannot leave its sandbox."""
    with pytest.raises(ConfigError, match="judge 'x': template: prompt 'p-1'"):
        ExchangeTemplate("x", source).fill(exchange("a"))
