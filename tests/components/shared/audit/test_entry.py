"""One entry: sealed, chained, and written in one way only."""

import json
import re

import pytest

from components.shared.audit.entry import EVENTS, START, AuditEntry, End, parse_entry, seal
from components.shared.digests import canonical_json, digest_json
from components.shared.errors import ConfigError, IntegrityError


def entry(end: End = START, **changes: object) -> AuditEntry:
    fields = {
        "event": "trained",
        "why": "A reason.",
        "facts": {"adapter_digest": "sha256:aa"},
        "pipeline": "toy",
        "pipeline_run": "run-1",
        "who": "ada",
    }
    return seal(end, **{**fields, **changes})


def test_an_entry_is_sealed_by_its_content():
    """The digest is the SHA-256 of everything else in the entry, as canonical JSON."""
    content = entry().model_dump(mode="json")
    digest = content.pop("digest")
    assert digest == digest_json(content)
    assert (content["sequence"], content["previous"]) == (0, "sha256:" + "0" * 64)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", content["time"])


def test_an_entry_follows_the_one_before():
    """The next entry has the next number and the digest of this one."""
    first = entry()
    second = entry(End(1, first.digest))
    assert (second.sequence, second.previous) == (1, first.digest)


def test_a_line_is_read_back():
    """What is written is read, whatever letters a name has."""
    written = entry(who="Ada Łovelace\u2028", why="line one\nline two", facts={"a": "\u00e9"})
    assert b"\n" not in written.line.encode()
    assert parse_entry(written.line.encode()) == written
    assert (written.who, written.why) == ("Ada Łovelace", "line one line two")


def test_bytes_that_are_no_text_do_not_stop_an_entry():
    """A user name from the environment with stray bytes is kept, with marks in their place."""
    assert entry(who="a\udcffb").who == "a?b"


@pytest.mark.parametrize("name", ["who", "why"])
def test_an_entry_says_who_and_why(name: str):
    """Nobody and no reason are refused."""
    with pytest.raises(ConfigError, match=f"audit entry 'trained': {name} is ' '"):
        entry(**{name: " "})


def test_every_event_of_the_log_is_known():
    """The events that the trigger, the steps, the review and the registry record."""
    assert set(EVENTS) == {
        "triggered",
        *("data_accepted", "trained", "evaluated", "compared", "followed_up", "decided", "registering", "registered"),
        *("rejected", "review", "rollback", "waiver"),
    }


def test_another_content_is_an_edit():
    """A changed fact under the old digest is named with both digests."""
    text = entry().line.replace("A reason.", "B reason.")
    with pytest.raises(IntegrityError, match="entry 0 was edited: its content has digest"):
        parse_entry(text.encode())


def test_another_spelling_is_an_edit():
    """Other spacing, another order and a repeated key are edits although they mean the same."""
    line = entry().line
    content = json.loads(line)
    respelled = [
        json.dumps(content, sort_keys=True),
        canonical_json(content).replace('"event":', '"event":"rejected","event":', 1),
        json.dumps(dict(reversed(content.items())), separators=(",", ":")),
        f"{line} ",
    ]
    for text in respelled:
        with pytest.raises(IntegrityError, match="its spacing, order of keys or spelling differs"):
            parse_entry(text.encode())


@pytest.mark.parametrize("text", [b"", b"{}", b"nonsense", b"\xff", b"[1]", b"null"])
def test_what_is_no_entry_is_named(text: bytes):
    """Other lines are not entries."""
    with pytest.raises(IntegrityError, match="is not an audit entry"):
        parse_entry(text)
