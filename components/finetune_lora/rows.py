"""Writes the training set to disk as tokens and labels, so that its size is not limited by memory."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow  # type: ignore[import-untyped,unused-ignore]

from components.shared.artifacts.training_data import LearntTokens
from components.shared.data.chats import Chat
from components.shared.generation.chat_template import ChatTemplate
from components.shared.generation.training_tokens import IGNORED, ChatTokenizer, TokenizedRow, tokenized
from components.shared.progress import Progress, Say

if TYPE_CHECKING:
    from datasets import Dataset

_BATCH = 1000
"""Rows that are written at once."""
_SCHEMA = pyarrow.schema([(name, pyarrow.list_(pyarrow.int32())) for name in ("input_ids", "labels")])
_BEFORE, _BEGIN, _END = 500, 700, 300
"""Characters of the shown row: before its last answer, of the answer's beginning, and of its end."""


class TrainingSet(NamedTuple):
    """The rows for trl, and what is learnt of them."""

    dataset: "Dataset"
    learnt: LearntTokens


def write_training_set(
    chats: Iterable[Chat],
    count: int,
    tokenizer: ChatTokenizer,
    asked: ChatTemplate,
    system_prompt: str | None,
    limit: int,
    path: Path,
    say: Say,
) -> TrainingSet:
    """Tokenizes the chats into an Arrow file, one after another.

    Args:
        chats: training chats.
        count: how many there are.
        tokenizer: makes tokens and labels.
        asked: renders the evaluation's chats.
        system_prompt: of chats that have none.
        limit: most tokens of a row.
        path: the file, which must stay while the data set is used.
        say: receives progress.

    Raises:
        DataError: a row is longer than the limit, or cannot be learnt as it is.
        ModelError: the template cannot render the chats as they are asked.
    """
    from datasets import Dataset

    progress = Progress(say, "rows tokenized", count)
    rows = answers = tokens = learnt = longest = 0
    example = ""
    batch: list[TokenizedRow] = []
    with pyarrow.OSFile(str(path), "wb") as file, pyarrow.ipc.new_stream(file, _SCHEMA) as stream:
        for chat in tokenized(enumerate(chats, start=1), tokenizer, asked, system_prompt, limit):
            example = example or tokenizer.shown(chat[-1])
            rows += len(chat)
            answers += sum(_spans(row) for row in chat)
            tokens += sum(len(row.tokens) for row in chat)
            learnt += sum(label != IGNORED for row in chat for label in row.labels)
            longest = max(longest, *(len(row.tokens) for row in chat))
            batch += chat
            if len(batch) >= _BATCH:
                _write(stream, batch)
                batch = []
            progress.advance(1)
        _write(stream, batch)
    summary = LearntTokens(
        method="prefix",
        rows=rows,
        answers=answers,
        tokens=tokens,
        learnt=learnt,
        longest=longest,
        thinking=tokenizer.thinking,
        example=_shortened(example),
    )
    return TrainingSet(Dataset.from_file(str(path)), summary)


def _shortened(example: str) -> str:
    """A row with its last answer marked, without what is too far before it or in its middle."""
    place = example.rindex("⟦")
    before, answer = example[:place], example[place:]
    if len(before) > _BEFORE:
        before = f"…{before[-_BEFORE:]}"
    if len(answer) > _BEGIN + _END:
        answer = f"{answer[:_BEGIN]} … {answer[-_END:]}"
    return before + answer


def _spans(row: TokenizedRow) -> int:
    """How many answers of a row are learnt: each is one span of labels."""
    return sum(
        label != IGNORED and before == IGNORED
        for before, label in zip([IGNORED, *row.labels], row.labels, strict=False)
    )


def _write(stream: "pyarrow.ipc.RecordBatchStreamWriter", rows: list[TokenizedRow]) -> None:
    columns = [[row.tokens for row in rows], [row.labels for row in rows]]
    stream.write_batch(pyarrow.record_batch([pyarrow.array(column, _SCHEMA[0].type) for column in columns], _SCHEMA))
