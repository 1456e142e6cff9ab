"""Fills a judge's Jinja template with one exchange, in a sandbox.

The answer's text is not changed: an answer that speaks to the judge can sway it. A template that marks where the
answer ends makes that harder.
"""

from typing import TYPE_CHECKING

from components.shared.errors import ConfigError
from components.shared.judges.judge import Exchange

if TYPE_CHECKING:
    from jinja2 import Template


class ExchangeTemplate:
    """A compiled template over the names of `config.judges.TEMPLATE_NAMES`.

    Args:
        judge: the judge's name, for errors.
        source: Jinja text.
    """

    def __init__(self, judge: str, source: str) -> None:
        from jinja2 import StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        self._judge = judge
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
        self._template: Template = environment.from_string(source)

    def fill(self, exchange: Exchange) -> str:
        """The text for one exchange.

        Raises:
            ConfigError: the template uses something that this prompt does not have.
        """
        from jinja2 import TemplateError

        prompt = exchange.prompt
        variables = {
            "prompt": prompt.prompt,
            "answer": exchange.answer,
            "system": prompt.system,
            "messages": [message.model_dump() for message in prompt.messages],
            "caveats": list(prompt.caveats),
            "reference": prompt.reference,
        }
        try:
            return self._template.render(variables)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise ConfigError(f"judge {self._judge!r}: template: prompt {prompt.id!r}: {error}") from None
