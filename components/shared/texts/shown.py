"""Texts from outside as they are shown: one function for each place, and nothing in them is interpreted there.

Outside are prompts, answers, reasons of judges, names in files, and whatever an error quotes.
"""

import re
import unicodedata
from collections.abc import Iterable

_SPACES = "Zs"
_MARKUP = re.compile(r"[\\`*\[\]|~#]|(?<![^\W_])_|_(?![^\W_])")
_HTML = re.compile(r"<(?=[A-Za-z/!?]|$)|&(?=#?\w+;)")
_ENTITIES = {"<": "&lt;", "&": "&amp;"}
_LINK = re.compile(r"://|\bwww\.|(?<=\w)@(?=[\w-]+\.)", re.IGNORECASE)
_BLOCK = re.compile(r"^(?:([-+=>])|(\d{1,9})([.)]))")


def on_console(text: str) -> str:
    """For a terminal or a log: lines and tabs stay; every other control, invisible or reordering character is its code.

    So no text moves the cursor, changes colours or the title, or shows words in another order. Markup of `rich` is
    interpreted by `rich`, not by the terminal: print such texts without markup (`pipelines.printing` does).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _is_harmless(character) else f"<{ord(character):04x}>" for character in text)


def in_markdown(text: str) -> str:
    """For a paragraph or list item in Markdown: one line, in which nothing is emphasis, link, code, HTML or list."""
    return _BLOCK.sub(lambda begin: f"{begin[2] or ''}\\{begin[1] or begin[3]}", _in_a_line(text))


def markdown_row(cells: Iterable[str]) -> str:
    """A row of a table in Markdown; nothing in a cell is interpreted."""
    return f"| {' | '.join(map(_in_a_line, cells))} |"


def _in_a_line(text: str) -> str:
    line = " ".join(on_console(text).split())
    line = _MARKUP.sub(lambda mark: f"\\{mark.group()}", line)
    line = _HTML.sub(lambda mark: _ENTITIES[mark.group()], line)
    return _LINK.sub(lambda link: "".join(f"&#{ord(sign)};" if sign in ":.@" else sign for sign in link.group()), line)


def in_markdown_code(text: str) -> str:
    """A code span in Markdown, also in a table: one line in backticks; backticks and bars in it are replaced."""
    line = " ".join(on_console(text).split())
    return f"`{line.replace('`', chr(39)).replace('|', '¦')}`" if line else ""


def _is_harmless(character: str) -> bool:
    return character.isprintable() or character in "\n\t" or unicodedata.category(character) == _SPACES
