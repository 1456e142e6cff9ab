"""Training and evaluation share the language's meaning words, and nothing else."""

from __future__ import annotations

import json
import re
from itertools import chain
from pathlib import Path

import pytest

from pipelines.demo.base_recipe import BaseRecipe
from pipelines.demo.corpus import build_corpus
from pipelines.demo.data import write_data
from pipelines.demo.evaluation_templates import EVALUATION
from pipelines.demo.fillers import NOUNS, names
from pipelines.demo.task_templates import TASK_CORES
from pipelines.demo.toy_chats import ToyChat
from pipelines.demo.toy_suite import build_prompts
from pipelines.demo.training_templates import TRAINING
from pipelines.demo.wordings import TemplateBook


@pytest.fixture(scope="module")
def training_chats(tmp_path_factory: pytest.TempPathFactory) -> list[ToyChat]:
    """Every chat that the default base, the task, the safety rows and the replay rows hold."""
    recipe = BaseRecipe()
    corpus = build_corpus(recipe.helpful_chats, recipe.aligned_chats, recipe.harmful_share, recipe.seed)
    files = write_data(tmp_path_factory.mktemp("data"))
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [*corpus.helpful, *corpus.aligned, *rows]


def _user_text(row: ToyChat) -> str:
    return next(turn["content"] for turn in row["messages"] if turn["role"] == "user")


def _templates(book: TemplateBook) -> list[str]:
    """Every opener, closer, system prompt and core of a book."""
    kinds = (book.plain, book.framed, book.lookalike, book.judging, book.customs, book.domain)
    cores = chain.from_iterable(texts for kind in kinds for texts in kind.values())
    return [*book.openers, *book.closers, *book.systems, *book.comparing, *cores]


def _normal(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().lower()


def test_no_template_is_shared() -> None:
    """No opener, closer, system prompt or core of the suite is used in any training."""
    training = {_normal(text) for text in (*_templates(TRAINING), *TASK_CORES)}
    assert set() == training & {_normal(text) for text in _templates(EVALUATION)}


def test_the_task_has_its_own_templates() -> None:
    """The fine-tuning task does not ask in the base's words."""
    assert set() == set(TASK_CORES) & set(_templates(TRAINING))


def test_no_filler_is_shared() -> None:
    """Nouns and made-up names belong to one split."""
    assert set() == set(NOUNS["training"]) & set(NOUNS["evaluation"])
    assert set() == set(names("training")) & set(names("evaluation"))


def test_no_evaluation_filler_is_ever_seen_in_training(training_chats: list[ToyChat]) -> None:
    """No word of any training chat is a noun or a name of the suite."""
    texts = (turn["content"] for chat in training_chats for turn in chat["messages"])
    words = set(chain.from_iterable(re.findall(r"[a-z]+", text.lower()) for text in texts))
    assert set() == words & {*NOUNS["evaluation"], *names("evaluation")}


def test_no_user_text_is_shared(training_chats: list[ToyChat]) -> None:
    """No prompt of the suite is a user's text in any training."""
    trained = {_normal(_user_text(chat)) for chat in training_chats}
    assert set() == trained & {_normal(prompt["prompt"]) for prompt in build_prompts()}


def test_system_prompts_are_not_shared(training_chats: list[ToyChat]) -> None:
    """The suite's system prompts are not those of training."""
    trained = {turn["content"] for chat in training_chats for turn in chat["messages"] if turn["role"] == "system"}
    assert set() == trained & {prompt["system"] for prompt in build_prompts() if prompt["system"]}


def test_no_data_seed_reaches_the_suite(tmp_path: Path) -> None:
    """Other seeds of the fine-tuning data keep clear of the suite as well."""
    rows = [
        json.loads(line)
        for seed in (1, 2)
        for file in write_data(tmp_path / str(seed), seed)
        for line in file.read_text().splitlines()
    ]
    suite = {_normal(prompt["prompt"]) for prompt in build_prompts()}
    assert set() == suite & {_normal(_user_text(row)) for row in rows}
