"""The training set on disk."""

from pathlib import Path

import pytest

from components.finetune_lora.rows import write_training_set
from components.shared.errors import DataError
from components.shared.generation.chat_template import ChatTemplate, TemplateSettings
from components.shared.generation.model_loading import end_tokens, load_tokenizer
from components.shared.generation.training_tokens import IGNORED, ChatTokenizer


@pytest.fixture
def tokenizer(tiny_base: Path) -> ChatTokenizer:
    plain = load_tokenizer(tiny_base)
    return ChatTokenizer(plain, ChatTemplate(plain, TemplateSettings()), end_tokens(tiny_base, plain))


def test_rows_lie_on_disk_with_their_labels(tokenizer: ChatTokenizer, tmp_path: Path, build):
    """More rows than are written at once, in their order; the summary counts what the data set holds."""
    chats = [build.chat(f"What is {n}?", f"It is {n}.", line=n) for n in range(1, 1502)]
    said: list[str] = []
    dataset, learnt = write_training_set(chats, 1501, tokenizer, None, 64, tmp_path / "rows.arrow", said.append)
    assert len(dataset) == learnt.rows == learnt.answers == 1501
    assert [dataset[place]["input_ids"] for place in (0, 1000, 1500)] == [
        tokenizer.rows(chats[place].messages)[0].tokens for place in (0, 1000, 1500)
    ]
    labels = [label for row in dataset for label in row["labels"]]
    assert learnt.learnt == sum(label != IGNORED for label in labels)
    assert learnt.tokens == len(labels)
    assert learnt.longest == max(len(row["input_ids"]) for row in dataset)
    assert said[-1].startswith("1,501/1,501 rows tokenized")


def test_a_long_row_is_shown_shortened(tokenizer: ChatTokenizer, tmp_path: Path, build):
    """What is far before the answer and in the answer's middle is left out, and the marks stay."""
    chat = build.chat("What is it? " * 200, "It is this. " * 200)
    _, learnt = write_training_set([chat], 1, tokenizer, None, 10_000, tmp_path / "rows.arrow", lambda text: None)
    assert len(learnt.example) < 1600
    assert learnt.example.startswith("…")
    assert learnt.example.endswith("<|end|>⟧")
    assert (learnt.example.count("⟦"), " … " in learnt.example) == (1, True)


def test_rows_that_are_too_long_are_an_error(tokenizer: ChatTokenizer, tmp_path: Path, build):
    """Nothing is cut."""
    with pytest.raises(DataError, match=r"over recipe\.max_length 9"):
        write_training_set([build.chat("What?", "It is this.")], 1, tokenizer, None, 9, tmp_path / "rows", print)
