"""Finds training rows that are also suite prompts, because a model that was trained on its test proves nothing.

Texts are compared without case, punctuation and spacing, in one Unicode form. Paraphrases are not found.
"""

import re
from collections.abc import Iterable, Sequence

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.data.chats import Chat
from components.shared.errors import DataError
from components.shared.texts.normal_form import normal_form

_NOT_A_WORD = re.compile(r"[\W_]+")
_ASCII_WORDS = {code: " " for code in range(128) if not chr(code).isalnum()}


def fingerprint(text: str) -> str:
    """The text in lower case and one Unicode form (NFKC), words separated by single spaces."""
    if text.isascii():  # most texts; the same result in a fifth of the time
        return " ".join(text.lower().translate(_ASCII_WORDS).split()) or text.strip()
    folded = normal_form("NFKC", text).casefold()
    return _NOT_A_WORD.sub(" ", folded).strip() or text.strip()


def user_fingerprints(chat: Chat) -> tuple[str, ...]:
    """The fingerprints of the user's turns: rows with equal ones ask the same."""
    return tuple(fingerprint(text) for text in chat.user_texts)


class OverlapCheck:
    """Looks for suite prompts among the user turns of the rows of one file.

    Args:
        where: the file's address, for errors.
        prompts: the suites' prompts.
    """

    def __init__(self, where: str, prompts: Iterable[SuitePrompt]) -> None:
        self._where = where
        self._ids = {fingerprint(prompt.prompt): prompt.id for prompt in prompts}
        self._first: tuple[int, str, str] | None = None
        self._hits = 0

    def see(self, chat: Chat, fingerprints: Sequence[str]) -> None:
        """Compares the user turns of one more row.

        Args:
            chat: the row.
            fingerprints: of its user turns.
        """
        for text, prompt_id in zip(chat.user_texts, map(self._ids.get, fingerprints), strict=True):
            if prompt_id is not None:
                self._hits += 1
                self._first = self._first or (chat.line, prompt_id, text)

    def refuse(self) -> None:
        """Checks that no suite prompt was seen.

        Raises:
            DataError: naming the file, the first line and its prompt.
        """
        if self._first is None:
            return
        line, prompt_id, text = self._first
        more = f" and {self._hits - 1} more" if self._hits > 1 else ""
        raise DataError(
            f"{self._where}:{line}: the user text {text[:80]!r} is suite prompt {prompt_id!r}{more}; training on the "
            "suite makes the comparison worthless: remove these rows"
        )
