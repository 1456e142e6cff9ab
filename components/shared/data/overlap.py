"""Finds training rows that are also suite prompts, because a model that was trained on its test proves nothing.

Texts are compared without case, punctuation and spacing, in one Unicode form. Paraphrases are not found.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.data.chats import Chat
from components.shared.errors import DataError

_NOT_A_WORD = re.compile(r"[\W_]+")


def fingerprint(text: str) -> str:
    """The text in lower case and one Unicode form (NFKC), words separated by single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOT_A_WORD.sub(" ", folded).strip() or text.strip()


def user_fingerprints(chat: Chat) -> tuple[str, ...]:
    """The fingerprints of the user's turns: rows with equal ones ask the same."""
    return tuple(fingerprint(text) for text in chat.user_texts)


def refuse_overlap(chats: Sequence[Chat], where: str, prompts: Iterable[SuitePrompt]) -> None:
    """Checks that no user turn of the training rows is a suite prompt.

    Raises:
        DataError: naming the file, the lines and the prompts.
    """
    ids = {fingerprint(prompt.prompt): prompt.id for prompt in prompts}
    hits = [
        (chat.line, ids[fingerprint(text)], text)
        for chat in chats
        for text in chat.user_texts
        if fingerprint(text) in ids
    ]
    if hits:
        line, prompt_id, text = hits[0]
        more = f" and {len(hits) - 1} more" if len(hits) > 1 else ""
        raise DataError(
            f"{where}:{line}: the user text {text[:80]!r} is suite prompt {prompt_id!r}{more}; training on the "
            "suite makes the comparison worthless: remove these rows"
        )
