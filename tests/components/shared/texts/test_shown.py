"""Texts from outside are shown in a terminal and in Markdown, and nothing in them is interpreted."""

import html
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console
from rich.text import Text

from components.shared.texts.shown import in_markdown, in_markdown_code, markdown_row, on_console

ATTACKS = [
    "bias[/b]",
    "[bold red]x[/]",
    "<img src=x onerror=alert(1)>",
    "</td><script>alert(1)</script>",
    "<!-- hidden",
    "&lt;b&gt; &#x41; &amp;",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/p.png)",
    "<https://evil.example>",
    "see https://evil.example/x or www.evil.example or a@evil.example",
    "a | b | c",
    "`code` and ```fence```",
    "**bold** _it_ __b__ ~~gone~~",
    "# heading",
    "- item",
    "1. item",
    "2) item",
    "> quote",
    "+ item",
    "=====",
    "[ref]: https://evil.example",
    "back\\slash \\` \\[x](y)",
    "line\n\n# heading\n\n    code",
    "$x^2$",
]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("Grüße, 世界!\nنعم", "Grüße, 世界!\nنعم"),
        ("no\u00a0break and\u3000wide", "no\u00a0break and\u3000wide"),
        ("\x1b[2J\x1b]0;title\x07", "<001b>[2J<001b>]0;title<0007>"),
        ("\x9b31m", "<009b>31m"),
        ("a\rb\x08c\td", "a<000d>b<0008>c\td"),
        ("user\u202etxt.exe\u202c", "user<202e>txt.exe<202c>"),
        ("\u2066a\u2069\u200b\u2028", "<2066>a<2069><200b><2028>"),
    ],
)
def test_what_controls_a_terminal_is_shown_as_its_code(text, shown):
    """Escapes, C1 controls, overrides of the direction and invisible characters; letters of all scripts stay."""
    assert on_console(text) == shown


@given(st.text())
def test_nothing_that_reaches_a_terminal_controls_it(text):
    """Only printable characters, spaces, tabs and line breaks are left."""
    left = {character for character in on_console(text) if not character.isprintable()} - {"\n", "\t"}
    assert all(character.isspace() for character in left)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", on_console(text))


def _html(markdown):
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)


@pytest.mark.parametrize("attack", ATTACKS)
def test_markdown_shows_the_text_itself(attack):
    """A renderer with HTML, tables and strikethrough makes one paragraph of it, with exactly this text."""
    text = " ".join(attack.split())
    assert html.unescape(_html(f"Said: {in_markdown(attack)}")) == f"<p>Said: {text}</p>\n"
    assert html.unescape(_html(in_markdown(attack))) == f"<p>{text}</p>\n"
    item = html.unescape(_html(f"- {in_markdown(attack)}\n- next\n"))
    assert item == f"<ul>\n<li>{text}</li>\n<li>next</li>\n</ul>\n"


@pytest.mark.parametrize("address", ["https://a.example", "javascript://x", "WWW.a.example", "mail me@a.example"])
def test_addresses_are_no_links(address):
    """GitHub's and MLflow's renderers make links of bare addresses; here a sign of each is written as its number."""
    shown = in_markdown(address)
    assert not re.search(r"://|www\.|\w@\w", shown, re.IGNORECASE)
    assert html.unescape(shown) == address


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_cell_stays_a_cell(attack):
    """A table has the columns of its head, whatever its cells hold."""
    table = f"{markdown_row(('a', 'b'))}\n|---|---|\n{markdown_row((attack, '+1.0 pp'))}\n"
    text = " ".join(attack.split())
    assert f"<tr>\n<td>{text}</td>\n<td>+1.0 pp</td>\n</tr>" in html.unescape(_html(table))


@given(st.text())
def test_no_text_leaves_its_paragraph(text):
    """No tag but the paragraph's own is made of any text."""
    assert set(re.findall(r"<[^>]*>", _html(f"x {in_markdown(text)}"))) <= {"<p>", "</p>"}


def test_code_spans_cannot_be_left():
    """Backticks and bars are replaced by signs that look alike; of nothing, nothing is made."""
    assert in_markdown_code("a`b|c\n<img>") == "`a'b¦c <img>`"
    assert in_markdown_code(" \n") == ""


def test_rich_prints_the_text_itself():
    """As `pipelines.printing` prints it: the tag of markup and the escape stand there as text."""
    out = io.StringIO()
    Console(file=out, width=80).print(Text(on_console("bias[/b] \x1b[31mred")))
    assert out.getvalue() == "bias[/b] <001b>[31mred\n"
