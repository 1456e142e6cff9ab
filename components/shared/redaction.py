"""Removes passwords from texts that are shown or recorded: a library's message may quote an address that holds one."""

import re

_PORT = r"(?!\d{1,5}(?:[/?#\s]|$))"
_IN_A_TEXT = re.compile(rf"(://[^\s/:@]{{0,200}}):{_PORT}\S{{0,500}}@")
_WHOLE_ADDRESS = re.compile(rf"\A([\w+.-]{{1,50}}://[^/:@]{{0,200}}):{_PORT}.{{0,500}}@", re.DOTALL)
_IN_A_QUERY = re.compile(
    r"([?&][\w.-]{0,30}(?:passw(?:or)?d|pwd|secret|token|api_?key|signature)=)[^&#\s'\"]+", re.IGNORECASE
)


def redacted(text: str) -> str:
    """The text with `***` instead of each password in an address: behind a user's name, or in its query.

    A user's name stays, and so does everything that is no address.
    """
    if "://" not in text:
        return text
    text = _WHOLE_ADDRESS.sub(r"\1:***@", text)
    return _IN_A_QUERY.sub(r"\1***", _IN_A_TEXT.sub(r"\1:***@", text))
