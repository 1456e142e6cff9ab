"""A base model's chat template with everything that its text depends on.

Training, evaluation, replay and serving render chats with it, so what is trained is what is asked.
"""

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import JsonValue

from components.shared.artifacts.suite_prompt import Message
from components.shared.config.evaluation import DEFAULT_DATE, EvaluationConfig
from components.shared.errors import LIBRARY_ERRORS, ModelError
from components.shared.generation.thinking import closing_of, has_channels, opens_thought

_PROBE = "You are a probe."
_ANSWER = "Plimsoll probes."
_SWITCHES = ("enable_thinking", "thinking")
"""Arguments by which known templates switch thinking: Qwen3 and most others; DeepSeek-V3.1 and Granite."""
_DIRECTIVES = ("%Y", "%y", "%m", "%d", "%-d", "%b", "%B", "%a", "%A", "%j", "%H", "%I", "%M", "%S", "%p")


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

    def served(self) -> dict[str, JsonValue]:
        """What the registered model needs to render as the evaluation did."""
        return {
            "template_prelude": day_prelude(self.date),
            "template_arguments": self.template_arguments(),
        }

    def template_arguments(self) -> dict[str, JsonValue]:
        """The arguments of the template: those of the settings, thinking, and the day as Llama-3.1 takes it."""
        switches = {} if self.thinking == "as_is" else dict.fromkeys(_SWITCHES, self.thinking == "on")
        return {"date_string": f"{self.date:%d %b %Y}", **self.arguments, **switches}

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

    Attributes:
        takes_system_turns: whether the template shows system turns.
        opens_thought: whether a prompt ends inside a thought.
        to_final: the text that leads from the end of a prompt to the final text of an answer, such as an empty thought.

    Args:
        tokenizer: of the base model, with a chat template.
        settings: what the text depends on.

    Raises:
        ModelError: the template does not render a plain chat, or cannot do what the settings ask.
    """

    def __init__(self, tokenizer: Any, settings: TemplateSettings) -> None:
        self._tokenizer = tokenizer
        self._settings = settings
        template = str(tokenizer.get_chat_template())
        _refuse_unread(template, settings.arguments)
        self._arguments: dict[str, Any] = {
            **settings.template_arguments(),
            "chat_template": f"{day_prelude(settings.date)}{template}",
        }
        self.takes_system_turns = self._takes_system_turns()
        self.opens_thought, self.to_final = self._answering()
        self._refuse_unswitchable(template)

    def render(self, turns: Sequence[Message], answering: bool) -> str:
        """The text of a chat.

        Args:
            turns: the chat.
            answering: whether the text ends where the assistant's answer begins.

        Raises:
            ModelError: the template refuses the turns.
        """
        import jinja2

        messages = [{"role": turn.role, "content": turn.content} for turn in self.shown(turns)]
        try:
            text = str(
                self._tokenizer.apply_chat_template(
                    messages, add_generation_prompt=answering, tokenize=False, **self._arguments
                )
            )
            text.encode()  # half of a character, of which no tokenizer makes tokens
            return text
        except jinja2.TemplateError as error:
            raise ModelError(f"the base's chat template refuses the turns {[t.role for t in turns]}: {error}") from None
        except LIBRARY_ERRORS as error:  # whatever an expression in a template raises
            raise ModelError(
                f"the base's chat template fails on the turns {[t.role for t in turns]}: {type(error).__name__}: "
                f"{error}; correct chat_template.jinja or tokenizer_config.json"
            ) from None

    def tokens(self, turns: Sequence[Message], answering: bool) -> list[int]:
        """The tokens of a chat; see `render`."""
        return list(self._tokenizer(self.render(turns, answering), add_special_tokens=False)["input_ids"])

    def shown(self, turns: Sequence[Message]) -> Sequence[Message]:
        """The turns, with the system text before the first user turn where the template takes no system turn.

        Raises:
            ModelError: the template takes no system turn, and the settings do not say to fold it.
        """
        if not turns or turns[0].role != "system" or self.takes_system_turns:
            return turns
        if self._settings.system_turns == "refuse":
            raise ModelError(
                "the base's chat template takes no system turns: set system_turns: fold (under evaluation for prompts "
                "and evaluation.system_prompt, under data for training rows), or remove them"
            )
        system, first, *rest = turns
        return [first.model_copy(update={"content": f"{system.content}\n\n{first.content}"}), *rest]

    def _answering(self) -> tuple[bool, str]:
        """Whether a prompt ends inside a thought, and the text that leads from a prompt to the final text."""
        asked = [Message(role="user", content="Hello")]
        prompt = self.render(asked, answering=True)
        if opens_thought(prompt):
            return True, closing_of(prompt)
        whole = self.render([*asked, Message(role="assistant", content=_ANSWER)], answering=False)
        between = whole[len(prompt) : whole.rfind(_ANSWER)] if whole.startswith(prompt) else ""
        return False, between if between.strip() else ""

    def _refuse_unswitchable(self, template: str) -> None:
        """Refuses to switch thinking where the template has no switch for it."""
        wanted = self._settings.thinking
        if wanted == "as_is" or any(_reads(template, name) for name in _SWITCHES):
            return
        thinks = self.opens_thought or has_channels(self.to_final)
        if (wanted == "on") != thinks:
            raise ModelError(
                f"evaluation.thinking is {wanted}, but the base's chat template has no switch for it, and "
                f"{'its model always thinks' if thinks else 'knows no thinking'}; set it to as_is"
                + (", or lower reasoning_effort in evaluation.template_arguments" if thinks else "")
            )

    def _takes_system_turns(self) -> bool:
        import jinja2

        turns = [{"role": "system", "content": _PROBE}, {"role": "user", "content": "Hello"}]
        try:
            text = self._tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=False, **self._arguments
            )
        except (jinja2.TemplateError, *LIBRARY_ERRORS):  # a template that fails on every chat is named by `render`
            return False
        return _PROBE in str(text)


def _refuse_unread(template: str, arguments: Iterable[str]) -> None:
    """Refuses arguments that a template does not read."""
    for name in arguments:
        if not _reads(template, name):
            raise ModelError(
                f"evaluation.template_arguments: the base's chat template does not read {name!r}; remove it, or "
                "correct its name"
            )


def _reads(template: str, name: str) -> bool:
    """Whether a template reads a variable: its name occurs in an expression, not as text, attribute or comment."""
    code = " ".join(re.findall(r"\{[%{].*?[%}]\}", re.sub(r"\{#.*?#\}", "", template, flags=re.S), flags=re.S))
    bare = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "''", code)
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", bare) is not None


def day_prelude(day: datetime.date) -> str:
    """The beginning of a template in which `strftime_now` prints one day, whatever the clock says.

    transformers hands only plain values on to a template, so the function cannot be an argument.
    """
    noon = datetime.datetime.combine(day, datetime.time(12))
    replaced = "".join(f"|replace({each!r}, {noon.strftime(each)!r})" for each in _DIRECTIVES)
    return f"{{%- macro strftime_now(form) -%}}{{{{- form{replaced} -}}}}{{%- endmacro -%}}"
