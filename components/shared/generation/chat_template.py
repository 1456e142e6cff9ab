"""A base model's chat template with everything that its text depends on.

Training, evaluation, replay and serving render chats with it, so what is trained is what is asked.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import JsonValue

from components.shared.artifacts.suite_prompt import Message
from components.shared.config.evaluation import DEFAULT_DATE, EvaluationConfig
from components.shared.errors import ModelError

_PROBE = "You are a probe."
_ARGUMENTS = ("enable_thinking", "thinking")
"""Arguments by which known templates switch thinking: Qwen3 and most others; DeepSeek-V3.1 and Granite."""


class TemplateSettings(NamedTuple):
    """What a chat's text depends on besides its turns.

    Attributes:
        system_turns: what happens to system turns that the template refuses or drops: refuse or fold.
        thinking: off, on or as_is.
        arguments: further arguments of the template.
        date: the day that the template prints as today.
    """

    system_turns: Literal["refuse", "fold"] = "refuse"
    thinking: Literal["off", "on", "as_is"] = "as_is"
    arguments: Mapping[str, JsonValue] = {}
    date: datetime.date = DEFAULT_DATE

    @classmethod
    def of(cls, evaluation: EvaluationConfig) -> "TemplateSettings":
        """The settings of an evaluation."""
        return cls(evaluation.system_turns, evaluation.thinking, evaluation.template_arguments, evaluation.date)

    def recorded(self, system_prompt: str | None) -> dict[str, JsonValue]:
        """The settings as JSON, with the system prompt of chats that have none."""
        return {
            "system_prompt": system_prompt,
            "system_turns": self.system_turns,
            "thinking": self.thinking,
            "template_arguments": dict(self.arguments),
            "date": self.date.isoformat(),
        }


class ChatTemplate:
    """Renders chats.

    Args:
        tokenizer: of the base model, with a chat template.
        settings: what the text depends on.

    Raises:
        ModelError: the template does not render a plain chat, or cannot do what the settings ask.
    """

    def __init__(self, tokenizer: Any, settings: TemplateSettings) -> None:
        self._tokenizer = tokenizer
        self._settings = settings
        self._arguments = {
            **_template_arguments(settings),
            "chat_template": pinned(tokenizer.get_chat_template(), settings.date),
        }
        self.takes_system_turns = self._takes_system_turns()

    def render(self, turns: Sequence[Message], answering: bool) -> str:
        """The text of a chat.

        Args:
            turns: the chat.
            answering: whether the text ends where the assistant's answer begins.

        Raises:
            ModelError: the template refuses the turns.
        """
        import jinja2

        messages = [turn.model_dump() for turn in self._foldable(turns)]
        try:
            return str(
                self._tokenizer.apply_chat_template(
                    messages, add_generation_prompt=answering, tokenize=False, **self._arguments
                )
            )
        except jinja2.TemplateError as error:
            raise ModelError(f"the base's chat template refuses the turns {[t.role for t in turns]}: {error}") from None

    def tokens(self, turns: Sequence[Message], answering: bool) -> list[int]:
        """The tokens of a chat; see `render`."""
        return list(self._tokenizer(self.render(turns, answering), add_special_tokens=False)["input_ids"])

    def _foldable(self, turns: Sequence[Message]) -> Sequence[Message]:
        """The turns, with the system text before the first user turn where the template takes no system turn."""
        if not turns or turns[0].role != "system" or self.takes_system_turns:
            return turns
        if self._settings.system_turns == "refuse":
            raise ModelError(
                "the base's chat template takes no system turns: set system_turns: fold (under evaluation for prompts "
                "and evaluation.system_prompt, under data for training rows), or remove them"
            )
        system, first, *rest = turns
        return [first.model_copy(update={"content": f"{system.content}\n\n{first.content}"}), *rest]

    def _takes_system_turns(self) -> bool:
        import jinja2

        turns = [{"role": "system", "content": _PROBE}, {"role": "user", "content": "Hello"}]
        try:
            text = self._tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=False, **self._arguments
            )
        except jinja2.TemplateError:
            return False
        return _PROBE in str(text)


def _template_arguments(settings: TemplateSettings) -> dict[str, Any]:
    """The arguments of the template: those of the settings, thinking, and the day as Llama-3.1 takes it."""
    arguments = {**settings.arguments, "date_string": f"{settings.date:%d %b %Y}"}
    if settings.thinking != "as_is":
        arguments |= dict.fromkeys(_ARGUMENTS, settings.thinking == "on")
    return arguments


def pinned(template: str, day: datetime.date) -> str:
    """The template with a `strftime_now` that prints one day, whatever the clock says.

    transformers hands only plain values on to a template, so the function cannot be an argument.
    """
    noon = datetime.datetime.combine(day, datetime.time(12))
    directives = sorted(set(re.findall(r"%-?[a-zA-Z]", template)))
    replaced = "".join(f"|replace({each!r}, {noon.strftime(each)!r})" for each in directives)
    return f"{{%- macro strftime_now(form) -%}}{{{{- form{replaced} -}}}}{{%- endmacro -%}}{template}"
