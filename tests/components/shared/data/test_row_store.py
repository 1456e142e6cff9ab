"""Chats on disk: they come back as they were, in any order, and are compared by what they ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.data.chats import Chat
from components.shared.data.overlap import user_fingerprints
from components.shared.data.row_store import RowStore, digests_of, joined, keep_rows
from components.shared.data.turns import ChatTurn
from components.shared.errors import StorageError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
SORTED_APART = ["\0", "\0\0", "a", "a\0", "\u00e9", "\U0001f600", "\uffff", "!"]


def chat(users: list[str], line: int = 1, intent: str | None = None, learnt: bool = True) -> Chat:
    turns = []
    for user in users:
        turns += [ChatTurn(role="user", content=user), ChatTurn(role="assistant", content="Yes.", learnt=learnt)]
    return Chat(tuple(turns), line, intent, "f.jsonl")


@given(st.lists(st.tuples(st.lists(TEXT, min_size=1, max_size=3), st.none() | TEXT, st.booleans()), max_size=8))
def test_chats_come_back_as_they_were(drawn: list):
    """Texts, marks, line, file and intent are kept, in the order asked for, and what is asked can be compared."""
    chats = [chat(users, line, intent, learnt) for line, (users, intent, learnt) in enumerate(drawn, start=1)]
    rows = keep_rows(chats)
    assert list(rows) == chats
    assert list(rows[::-1]) == [rows[place] for place in range(len(rows) - 1, -1, -1)] == chats[::-1]
    assert list(rows.asked_texts()) == [" ".join(user_fingerprints(chat)) for chat in chats]
    assert rows.digests.tolist() == digests_of(chats).tolist()


@given(
    st.lists(
        st.lists(st.sampled_from(["\0", "\0\0", "a", "a\0", "é", "\U0001f600", "\uffff", "!"]), min_size=1, max_size=3)
    )
)
def test_different_rows_have_the_order_of_their_texts(drawn: list[list[str]]):
    """The order on disk is that of tuples of texts in Python, and the first of equal rows counts."""
    chats = [chat(users, line) for line, users in enumerate(drawn, start=1)]
    first = {user_fingerprints(chat): chat.line for chat in reversed(chats)}
    assert [row.line for row in keep_rows(chats).different()] == [first[texts] for texts in sorted(first)]


def test_parts_of_one_store_are_joined_in_their_order():
    """Sources stay apart until they are mixed."""
    store = RowStore()
    task, replay = (keep_rows((chat([f"{name} {n}"], n) for n in range(1500)), store) for name in ("task", "replay"))
    assert (len(task), len(replay)) == (1500, 1500)
    assert [row.user_texts for row in joined([replay[:1], task[-1:]])] == [("replay 0",), ("task 1499",)]


def test_a_full_disk_is_named_with_a_cure():
    """SQLite's error says nothing of where rows are kept."""
    store = RowStore()
    store._database.execute("PRAGMA max_page_count = 20")
    with pytest.raises(StorageError, match=r"cannot be written: the disk of .* is full .*TMPDIR"):
        keep_rows((chat(["a" * 1000]) for _ in range(2000)), store)
