"""Splitting and mixing, as pure functions of rows and a seed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.data.mixing import rows_for_share, sample_rows, split_heldout, without_heldout
from components.shared.data.overlap import fingerprint
from components.shared.data.row_store import Rows, keep_rows
from components.shared.errors import DataError

TEXTS = st.lists(st.sampled_from([f"question {n}" for n in range(12)]), min_size=1, max_size=40)


def chats(build, texts: list[str]) -> Rows:
    """Rows whose text differs in case only where it is repeated, each with an answer of its own."""
    return keep_rows(
        build.chat(text.upper() if n % 2 else text, f"Answer {n}.", line=n + 1) for n, text in enumerate(texts)
    )


def texts_of(rows) -> set[str]:
    return {fingerprint(text) for row in rows for text in row.user_texts}


@given(TEXTS, st.integers(0, 12), st.integers(0, 5))
def test_heldout_rows_are_never_trained_on(build, texts: list[str], rows: int, seed: int):
    """Repeated texts go to one side together; the held-out ones are all different and as many as asked for."""
    training = chats(build, texts)
    different = len(set(texts))
    if rows and rows >= different:
        with pytest.raises(DataError, match=rf"f: has {different} different prompts and data.heldout_rows is {rows}"):
            split_heldout(training, rows, seed, "f")
        return
    split = split_heldout(training, rows, seed, "f")
    assert texts_of(split.train) & texts_of(split.heldout) == set()
    assert len(texts_of(split.heldout)) == len(split.heldout) == rows
    assert list(split.train) == [chat for chat in training if texts_of([chat]) <= texts_of(split.train)]


@given(st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_split_depends_on_rows_and_seed_only(build, seed: int, random):
    """The order of the file does not choose the held-out rows; the seed does, the same way each time."""
    training = [build.chat(f"question {n}") for n in range(30)]
    shuffled = random.sample(training, len(training))

    def heldout(chats: list, seed: int) -> list:
        return list(split_heldout(keep_rows(chats), 5, seed, "f").heldout)

    assert heldout(training, seed) == heldout(shuffled, seed)
    assert heldout(training, seed) != heldout(training, seed + 1)


def test_conversations_are_told_apart_by_all_their_turns(build):
    """Two conversations that share their last question only are different rows."""
    first, second = build.chat("a"), build.chat("b")
    longer = first._replace(messages=(*second.messages, *first.messages))
    assert len(split_heldout(keep_rows([first, longer, second]), 2, 0, "f").heldout) == 2


def test_mixed_in_rows_lose_what_is_held_out(build):
    """A mixed-in row that asks what a held-out row asks is left out, whatever its case and answer."""
    mixed = [build.chat("Question 1?", "x"), build.chat("question 2")]
    assert list(without_heldout(keep_rows(mixed), [build.chat("question 1")])) == mixed[1:]
    assert list(without_heldout(keep_rows(mixed), [])) == mixed


@given(
    st.integers(0, 500),
    st.lists(st.floats(0.01, 0.3), max_size=3).map(lambda shares: {f"s{n}": s for n, s in enumerate(shares)}),
)
def test_shares_are_met_within_a_row(task_rows: int, shares: dict[str, float]):
    """Each source's rows are its share of the whole, to half a row per source."""
    rows = rows_for_share(task_rows, shares)
    total = task_rows / (1 - sum(shares.values()))
    assert all(abs(rows[name] - share * total) <= 0.5 for name, share in shares.items())
    assert abs(task_rows + sum(rows.values()) - total) <= 0.5 * len(shares) + 1e-6


def test_one_row_in_five():
    """80 task rows and a share of 0.2 take 20 rows."""
    assert rows_for_share(80, {"safety": 0.2}) == {"safety": 20}


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 3))
def test_samples_are_drawn_without_replacement(build, available: int, rows: int, seed: int):
    """Rows come in file order and at most once; too few are an error."""
    training = keep_rows(build.chat(f"q{n}", line=n + 1) for n in range(available))
    if rows > available:
        with pytest.raises(DataError, match=rf"f: has {available} rows, but its share .* takes {rows}"):
            sample_rows(training, rows, seed, "f")
        return
    picked = sample_rows(training, rows, seed, "f")
    assert len(picked) == rows
    assert [chat.line for chat in picked] == sorted({chat.line for chat in picked})
    assert list(picked) == list(sample_rows(training, rows, seed, "f"))
