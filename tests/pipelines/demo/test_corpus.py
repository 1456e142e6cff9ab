"""The base's corpus: first helpful to everyone, then aligned."""

from __future__ import annotations

import pytest

from pipelines.demo.corpus import Corpus, build_corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """A corpus big enough to count shares in."""
    return build_corpus(helpful_chats=2_000, aligned_chats=2_000, harmful_share=0.5, seed=0)


def _refusals(chats: list[object]) -> int:
    return sum("can't" in str(chat) or "cannot" in str(chat) for chat in chats)


def test_only_the_aligned_stage_refuses(corpus: Corpus) -> None:
    """The helpful stage never refuses; the aligned stage often does."""
    assert _refusals([*corpus.helpful]) == 0
    assert _refusals([*corpus.aligned]) > 300


def test_a_quarter_of_the_chats_have_a_system_prompt(corpus: Corpus) -> None:
    """System prompts are common enough not to surprise the model."""
    with_system = sum(chat["messages"][0]["role"] == "system" for chat in corpus.aligned)
    assert 0.2 < with_system / len(corpus.aligned) < 0.3


def test_the_same_arguments_give_the_same_corpus(corpus: Corpus) -> None:
    """A corpus is decided by its arguments, and another seed gives another one."""
    assert corpus == build_corpus(2_000, 2_000, 0.5, seed=0)
    assert corpus != build_corpus(2_000, 2_000, 0.5, seed=1)
