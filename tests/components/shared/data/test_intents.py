"""Held-out rows of the rarest intents."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.data.chats import Chat
from components.shared.data.intents import RareSplit, intents_of, split_rare
from components.shared.data.mixing import Split
from components.shared.data.row_store import keep_rows
from components.shared.data.turns import ChatTurn
from components.shared.errors import DataError


def chat(line: int, text: str, intent: str | None = None) -> Chat:
    turns = (ChatTurn(role="user", content=text), ChatTurn(role="assistant", content="Yes."))
    return Chat(turns, line, intent)


def split(chats: Iterable[Chat], rows: int) -> RareSplit:
    kept = keep_rows(chats)
    return split_rare(Split(kept, kept[:0]), rows, 0, "t.jsonl")


def rows(**counts: int) -> tuple[Chat, ...]:
    named = [(intent, n) for intent, count in counts.items() for n in range(count)]
    return tuple(chat(line, f"{intent} {n}", intent) for line, (intent, n) in enumerate(named, start=1))


def test_the_rarest_intents_go_first_and_keep_half_of_their_rows():
    """Four rows: two of the four refunds, then two of the ten deliveries; no intent is lost to training."""
    found = split(rows(order=40, refund=4, delivery=10, single=1), 4)
    assert Counter(row.intent for row in found.rare) == {"refund": 2, "delivery": 2}
    assert {row.intent: row.trained for row in found.rare} == {"refund": 2, "delivery": 8}
    assert Counter(row.intent for row in found.train) == {"order": 40, "refund": 2, "delivery": 8, "single": 1}


def test_none_are_held_out_unless_asked_for():
    """0 rows change nothing."""
    training = rows(order=3)
    found = split(training, 0)
    assert (tuple(found.train), found.rare) == (training, ())


def test_too_few_rows_are_an_error():
    """The error names the file, what was asked for and how many there are."""
    with pytest.raises(DataError, match=r"t\.jsonl: data\.rare_intent_rows is 9, but only 3 rows can be held out"):
        split(rows(order=5, refund=3), 9)


def test_equal_texts_stay_on_one_side():
    """A text that is held out is in no training row."""
    doubled = tuple(chat(n, f"Where is parcel {n // 2}?", "where") for n in range(12))
    found = split(doubled, 3)
    trained = {row.user_texts for row in found.train}
    assert not trained & {row.chat.user_texts for row in found.rare}
    assert len(found.train) == 6


def test_rows_without_intents_are_clustered_by_their_words():
    """Two plain topics of very different size come out as different intents, the same ones with the same seed."""
    texts = [f"please cancel my order number {n}" for n in range(30)] + [
        f"what about warranty repair {n}" for n in range(6)
    ]
    training = keep_rows(chat(n, text) for n, text in enumerate(texts))
    found = intents_of(training, 0)
    assert not set(found[:30]) & set(found[30:])
    assert intents_of(training, 0) == found


def test_many_rows_go_to_the_clusters_of_some(monkeypatch: pytest.MonkeyPatch):
    """Above a limit, clusters are made of rows drawn by the seed; every row has one, in all batches."""
    monkeypatch.setattr("components.shared.data.intents._MOST_CLUSTERED", 60)
    monkeypatch.setattr("components.shared.data.intents._BATCH", 7)
    texts = [f"please cancel my order number {n}" if n % 3 else f"what about warranty repair {n}" for n in range(100)]
    training = keep_rows(chat(n, text) for n, text in enumerate(texts))
    found = intents_of(training, 0)
    assert len(found) == 100
    assert {intent for n, intent in enumerate(found) if n % 3}.isdisjoint(found[::3])
    assert intents_of(training, 0) == found


def test_rows_without_words_are_one_intent():
    """Punctuation only cannot be clustered."""
    assert intents_of(keep_rows([chat(1, "?"), chat(2, "!!")]), 0) == ["rows", "rows"]


@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=6), wanted=st.integers(0, 8))
def test_every_row_is_on_exactly_one_side(counts: list[int], wanted: int):
    """Training and held-out rows together are all rows, and every intent is still trained on."""
    training = rows(**{f"intent{n}": count for n, count in enumerate(counts)})
    if wanted > sum(count // 2 for count in counts):
        return
    found = split(training, wanted)
    assert len(found.rare) == wanted
    assert {*found.train, *(row.chat for row in found.rare)} == set(training)
    assert {row.intent for row in found.train} == {row.intent for row in training}
