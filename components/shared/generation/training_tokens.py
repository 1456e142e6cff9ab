"""The tokens of training chats, and which of them are learnt: each answer in the very prompt in which it is asked.

The prefix method: a chat is rendered up to an answer as it is when the model is asked, and once more with the answer;
what the answer adds, up to its end token, is learnt. So the prompt, the header of the assistant's turn and what a
template writes after the end token are never learnt, and no list of known templates is needed.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from components.shared.artifacts.suite_prompt import Message
from components.shared.data.chats import Chat
from components.shared.data.turns import ChatTurn
from components.shared.errors import DataError, ModelError
from components.shared.generation.chat_template import ChatTemplate
from components.shared.generation.thinking import has_channels, has_thought, split_thought, without_opening

IGNORED = -100
"""The label of a token that is not learnt, as in torch's cross entropy."""
_PROBE = "Plimsoll probes."


class TokenizedRow(NamedTuple):
    """Tokens to train on, and their labels: the token itself where it is learnt, IGNORED elsewhere."""

    tokens: list[int]
    labels: list[int]


class ChatTokenizer:
    """Makes tokens and labels of chats.

    Args:
        tokenizer: of the base model.
        template: renders chats as they are asked.
        ends: the tokens that end an answer.
    """

    def __init__(self, tokenizer: Any, template: ChatTemplate, ends: Collection[int]) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._ends = frozenset(ends)
        self._end_texts = sorted(str(tokenizer.decode([end])) for end in ends)
        probe = [Message(role="user", content="Hello"), Message(role="assistant", content=_PROBE)]
        self._closing = template.render(probe, answering=False).rpartition(_PROBE)[2]
        """What the template writes after the last answer."""

    @property
    def thinking(self) -> str:
        """What training does to thinking, where the rows hold no thoughts; empty for a base that knows none."""
        if self._template.opens_thought:
            return (
                "prompts end inside a thought: it is closed at once, and only what follows is learnt, so that the "
                "model's own thinking is left as it is"
            )
        if has_channels(self._template.to_final):
            return "answers are learnt in the final channel, without an analysis before it"
        if has_thought(self._template.to_final):
            return (
                "the template writes an empty thought before an answer, which is learnt: the model learns to answer "
                "without thinking; evaluation.thinking: off puts it into the prompt instead"
            )
        return ""

    def rows(self, turns: Sequence[Message]) -> list[TokenizedRow]:
        """The rows of a chat: one, or several where the template renders earlier turns otherwise than when asked.

        Args:
            turns: the chat, which ends with an answer; answers with `learnt: false` are context only.

        Raises:
            DataError: an answer holds an end token, or the template does not write the whole answer.
            ModelError: the template refuses the turns, or its prompts are not the beginning of its chats.
        """
        answers = [
            self._answer(turns[:place], turn.content)
            for place, turn in enumerate(turns)
            if turn.role == "assistant" and not (isinstance(turn, ChatTurn) and not turn.learnt)
        ]
        rows: list[TokenizedRow] = []
        for tokens, start in reversed(answers):
            row = next((row for row in rows if row.tokens[: len(tokens)] == tokens), None)
            if row is None:
                row = TokenizedRow(tokens, [IGNORED] * len(tokens))
                rows.append(row)
            row.labels[start : len(tokens)] = tokens[start:]
        return rows[::-1]

    def shown(self, row: TokenizedRow) -> str:
        """The text of a row, with what is learnt between ⟦ and ⟧."""
        text, learning = "", False
        start = 0
        for place in range(len(row.tokens) + 1):
            now = place < len(row.tokens) and row.labels[place] != IGNORED
            if now != learning or place == len(row.tokens):
                text += str(self._tokenizer.decode(row.tokens[start:place], skip_special_tokens=False))
                text += "⟦" if now else "⟧" if learning else ""
                start, learning = place, now
        return text

    def _answer(self, asked: Sequence[Message], answer: str) -> tuple[list[int], int]:
        """The tokens up to the end of an answer, and where those that are learnt begin."""
        if end := next((end for end in self._end_texts if end in answer), None):
            raise DataError(
                f"the answer {answer[:60]!r} holds {end!r}, at which the model would learn to stop; remove it from the "
                "text"
            )
        prompt, closed, added = self._parted(asked, answer)
        head = [*self._encode(prompt), *self._encode(closed)]
        tokens = self._encode(prompt + closed + added)
        if tokens[: len(head)] != head:  # a token would reach over the prompt's end, where none can be generated
            tokens = [*head, *self._encode(added)]
        if len(head) == len(tokens) or (stop := self._end(tokens, len(head))) is None:
            raise ModelError(
                "the base's chat template writes no end token after an answer (its end tokens are "
                f"{', '.join(map(repr, self._end_texts))}): the model would never learn to stop; correct the template "
                "or generation_config.json"
            )
        return tokens[: stop + 1], len(head)

    def _parted(self, asked: Sequence[Message], answer: str) -> tuple[str, str, str]:
        """The prompt, what closes its thought, and what is learnt after it."""
        prompt = self._template.render(asked, answering=True)
        whole = self._template.render([*asked, Message(role="assistant", content=answer)], answering=False)
        thought = split_thought(answer, opened=False)
        if whole.startswith(prompt) and not self._template.opens_thought:
            added = whole[len(prompt) :]
            if missing := [part for part in (thought.reasoning, thought.final) if part not in added]:
                raise _dropped(missing[0], answer)
            return prompt, "", added
        forms = (form for form in (answer, answer.strip(), thought.final) if whole.endswith(form + self._closing))
        if (final := next(forms, None)) is None:
            raise _dropped(thought.final, answer)
        if self._template.opens_thought:
            if thought.reasoning:
                return prompt, "", without_opening(answer).rstrip() + self._closing
            return prompt, self._template.to_final, final + self._closing
        if thought.reasoning:
            raise DataError(
                f"the answer {answer[:60]!r} begins with a thought, but the prompt has closed it already; set "
                "evaluation.thinking to on, or remove the thought"
            )
        request = asked[-1].content.strip()  # Nemo's template writes the system text into the last request only
        header = prompt[prompt.rfind(request) + len(request) :]
        before = whole.removesuffix(final + self._closing)
        lead = before[before.rfind(request) + len(request) :]
        if request not in prompt or request not in before or not lead.startswith(header):
            raise ModelError(
                "the base's chat template does not write before an answer what it writes when the answer is asked: "
                f"{lead[-40:]!r} instead of {header[-40:]!r}; what is to be learnt cannot be told: correct the template"
            )
        return prompt, "", lead.removeprefix(header) + final + self._closing

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _end(self, tokens: Sequence[int], start: int) -> int | None:
        return next((place for place in range(start, len(tokens)) if tokens[place] in self._ends), None)


def _dropped(part: str, answer: str) -> DataError:
    return DataError(
        f"the base's chat template does not write {part[:60]!r} of the answer {answer[:60]!r} as it is; rewrite it"
    )


def tokenized(
    chats: Iterable[tuple[int, Chat]],
    tokenizer: ChatTokenizer,
    asked: ChatTemplate,
    system_prompt: str | None,
    limit: int,
) -> Iterator[list[TokenizedRow]]:
    """The rows of each chat.

    Args:
        chats: training chats, each with its number in the training set, from 1.
        tokenizer: makes tokens and labels.
        asked: renders the evaluation's chats; shows their system prompt.
        system_prompt: of chats that have none.
        limit: most tokens of a row: recipe.max_length. Nothing is ever cut.

    Raises:
        DataError: an answer cannot be learnt as it is; or, after the last chat, rows are longer than the limit.
        ModelError: the template cannot render the chats as they are asked.
    """
    system = [] if system_prompt is None else [Message(role="system", content=system_prompt)]
    first, too_long, longest = "", 0, 0
    for number, chat in chats:
        where = f"training row {number}{_source(chat, number)}"
        own = chat.messages[0].role == "system"
        try:
            rows = tokenizer.rows(chat.messages if own else asked.shown((*system, *chat.messages)))
        except (DataError, ModelError) as error:
            raise type(error)(f"{where}: {error}") from None
        yield rows
        length = max(len(row.tokens) for row in rows)
        longest = max(longest, length)
        if length > limit:
            begins = f"{chat.user_texts[0][:60]!r}"
            first = first or f"{where} has {length:,} tokens, over recipe.max_length {limit:,}; it begins {begins}"
            too_long += 1
    if too_long:
        raise DataError(
            f"{first}. {too_long:,} rows are too long, the longest has {longest:,} tokens: raise max_length, or "
            "shorten or remove the rows"
        )


def _source(chat: Chat, number: int) -> str:
    """Where a row stands in the user's files, as far as it is known."""
    line = "" if chat.line == number else f"line {chat.line}"
    place = f"{chat.file}, {line}" if chat.file and line else chat.file or line
    return f" ({place})" if place else ""
