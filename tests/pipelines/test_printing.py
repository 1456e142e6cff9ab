"""What commands print of texts from outside: as text, in tables, lines and JSON."""

import json

import pytest

from components.shared.errors import DataError
from components.shared.progress import speaker, warn
from pipelines import cli
from pipelines.printing import echo, echo_json, one_line, print_line, print_table
from pipelines.running.tables import show_decision

HOSTILE = "bias[/b] [red]x[/red] \x1b[2J\x9b31m\u202e"
SHOWN = "bias[/b] [red]x[/red] <001b>[2J<009b>31m<202e>"


def test_tables_show_cells_heads_and_titles_as_text(capsys):
    """Square brackets are no markup, and escapes are codes."""
    print_table(HOSTILE, ("a", HOSTILE), [["b", HOSTILE]], left=2)
    assert capsys.readouterr().out.count(SHOWN) == 3


@pytest.mark.parametrize("show", [print_line, echo, warn, speaker("step")], ids=["line", "echo", "warning", "step"])
def test_lines_show_texts_as_they_are(capsys, show):
    """So do warnings and the lines of a step."""
    show(HOSTILE)
    captured = capsys.readouterr()
    assert SHOWN in captured.out + captured.err
    assert "\x1b" not in captured.out + captured.err


def test_json_is_the_same_content_without_control_characters(capsys):
    """A program reads what it read before; a terminal is not controlled."""
    echo_json({"text": HOSTILE, "more": "Grüße"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"text": HOSTILE, "more": "Grüße"}
    assert "Grüße" in out
    assert not set("\x1b\x9b\u202e") & set(out)


def test_a_short_line_has_no_control_characters():
    """It is cut after they are made visible."""
    assert one_line("a\n\x1bb  c", 20) == "a <001b>b c"
    assert one_line("abcdef", 4) == "abc…"


def test_the_final_table_shows_any_category(capsys, build):
    """A category that looks like markup ended the run's table in an error before."""
    gate = build.gate_decision()
    reason = gate.reasons[0].model_copy(
        update={"sentence": HOSTILE, "delta": gate.reasons[0].delta.model_copy(update={"category": HOSTILE})}
    )
    show_decision(gate.model_copy(update={"reasons": (reason,)}))
    out = capsys.readouterr().out
    assert "bias[/b]" in out
    assert f"  {SHOWN}" in out
    assert "\x1b" not in out


def test_an_error_shows_what_it_quotes_as_text(capsys, monkeypatch):
    """The message of a command that fails, and its notes."""

    def fail():
        error = DataError(HOSTILE)
        error.add_note(HOSTILE)
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == f"error: {SHOWN}\n  {SHOWN}\n"
