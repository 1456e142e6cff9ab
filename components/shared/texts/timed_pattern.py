"""A user's regular expression, which is searched for under a time limit: some patterns take years on some texts."""

import regex

TIME_LIMIT_S = 1.0
"""Seconds for one text."""


def compile_pattern(pattern: str) -> "regex.Pattern[str]":
    """A compiled pattern, as Python's `re` reads it.

    Raises:
        ValueError: it is no regular expression.
    """
    try:
        return regex.compile(pattern, regex.VERSION0)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from None


def whole_match(pattern: str, text: str, limit_s: float = TIME_LIMIT_S) -> "regex.Match[str] | None":
    """The match of the whole text, or None.

    Args:
        pattern: a regular expression.
        text: where it is looked for.
        limit_s: seconds after which the search is given up.

    Raises:
        TimeoutError: it was not decided within the limit.
        ValueError: it is no regular expression.
    """
    return compile_pattern(pattern).fullmatch(text, timeout=limit_s)
