"""What is learnt of a chat: each answer and its end token, after the very prompt in which the answer is asked."""

from pathlib import Path
from typing import Any

import pytest

from components.shared.artifacts.suite_prompt import Message
from components.shared.data.turns import ChatTurn
from components.shared.errors import DataError, ModelError
from components.shared.generation.chat_template import ChatTemplate, TemplateSettings
from components.shared.generation.model_loading import end_tokens, load_tokenizer
from components.shared.generation.training_tokens import IGNORED, ChatTokenizer, TokenizedRow, tokenized
from tests.conftest import PLAIN_TEMPLATE
from tests.support.families import FAMILIES, Family, make_tokenizer

FIRST, SECOND = "First answer.", "s"
"""The second answer also occurs in end tokens such as </s>."""
HARMONY = "<|channel|>final<|message|>"
EMPTY_THOUGHT = "<think>\n\n</think>\n\n"
SEPARATE = {"qwen3", "qwen3-moe", "mistral-nemo", "deepseek-r1-distill", "gpt-oss"}
"""Families that render an earlier answer, or what is before it, otherwise than when it was asked."""


def say(role: Any, content: str) -> Message:
    return Message(role=role, content=content)


CHAT = (
    say("system", "Be brief."),
    say("user", "Hello?"),
    say("assistant", FIRST),
    say("user", "And then?"),
    say("assistant", SECOND),
)


def spans(row: TokenizedRow) -> list[tuple[int, int]]:
    """The places of the tokens that are learnt: start and end of each answer."""
    learnt = [IGNORED, *row.labels, IGNORED]
    edges = [place for place in range(1, len(learnt)) if (learnt[place] == IGNORED) != (learnt[place - 1] == IGNORED)]
    return [(start - 1, end - 1) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def tokenizer_of(family: Family, folder: Path, settings: TemplateSettings) -> tuple[Any, ChatTemplate, set[int]]:
    tokenizer = make_tokenizer(family, folder)
    ends = {*map(tokenizer.convert_tokens_to_ids, family.ends or ()), tokenizer.eos_token_id}
    return tokenizer, ChatTemplate(tokenizer, settings), ends


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_answer_is_learnt_where_it_is_asked(family: Family, tmp_path: Path):
    """The tokens before an answer are the evaluation's prompt; answer and end token are learnt, and nothing else."""
    tokenizer, template, ends = tokenizer_of(family, tmp_path, TemplateSettings("fold"))
    chats = ChatTokenizer(tokenizer, template, ends)
    rows = chats.rows(CHAT)
    assert len(rows) == (2 if family.name in SEPARATE else 1)
    learnt = [(row, start, end) for row in rows for start, end in spans(row)]
    lead = HARMONY if family.name == "gpt-oss" else EMPTY_THOUGHT if family.name.startswith("qwen3") else ""
    for (row, start, end), asked, answer in zip(learnt, (CHAT[:2], CHAT[:4]), (FIRST, SECOND), strict=True):
        closed = template.to_final if template.opens_thought else ""
        asked_tokens = template.tokens(asked, answering=True)
        assert row.tokens[: len(asked_tokens)] == asked_tokens
        assert tokenizer.decode(row.tokens[len(asked_tokens) : start]) == closed
        assert row.labels[start:end] == row.tokens[start:end]
        text = tokenizer.decode(row.tokens[start : end - 1], clean_up_tokenization_spaces=False)
        assert text.strip() == f"{lead}{answer}"
        assert row.tokens[end - 1] in ends
        assert not ends & set(row.tokens[start : end - 1])
    assert all(spans(row)[-1][1] == len(row.tokens) for row in rows)
    assert [chats.shown(row).count("⟦") for row in rows] == [len(spans(row)) for row in rows]


def family(name: str) -> Family:
    return next(family for family in FAMILIES if family.name == name)


def test_a_thought_that_the_prompt_closed_is_no_part_of_the_answer(tmp_path: Path):
    """With thinking off, Qwen3's empty thought is in the prompt, in training as in the evaluation."""
    tokenizer, template, ends = tokenizer_of(family("qwen3"), tmp_path, TemplateSettings(thinking="off"))
    chats = ChatTokenizer(tokenizer, template, ends)
    for row in chats.rows(CHAT):
        assert EMPTY_THOUGHT not in tokenizer.decode([label for label in row.labels if label != IGNORED])
    assert chats.thinking == ""
    with pytest.raises(DataError, match=r"begins with a thought, but the prompt has closed it already; set evaluation"):
        chats.rows([say("user", "Hello?"), say("assistant", "<think>\nHm.\n</think>\n\nHello.")])


@pytest.mark.parametrize("name", ["qwen3", "deepseek-r1-distill"])
def test_a_thought_in_a_row_is_learnt(tmp_path: Path, name: str):
    """An answer that begins with a thought teaches to think, also where the prompt has opened the thought."""
    tokenizer, template, ends = tokenizer_of(family(name), tmp_path, TemplateSettings(thinking="on"))
    (row,) = ChatTokenizer(tokenizer, template, ends).rows(
        [say("user", "Hello?"), say("assistant", "<think>\nHm.\n</think>\n\nHello.")]
    )
    text = tokenizer.decode([label for label in row.labels if label != IGNORED][:-1])
    assert text == ("" if template.opens_thought else "<think>\n") + "Hm.\n</think>\n\nHello."


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("qwen3", "writes an empty thought before an answer, which is learnt"),
        ("deepseek-r1-distill", "it is closed at once, and only what follows is learnt"),
        ("gpt-oss", "in the final channel, without an analysis"),
        ("llama-3.1", ""),
    ],
)
def test_what_happens_to_thinking_is_said(tmp_path: Path, name: str, said: str):
    """One sentence per kind of thinking; none for models that do not think."""
    chats = ChatTokenizer(*tokenizer_of(family(name), tmp_path, TemplateSettings("fold")))
    assert said in chats.thinking
    assert bool(said) is bool(chats.thinking)


def tokenizers(base: Path) -> tuple[ChatTokenizer, ChatTemplate]:
    tokenizer = load_tokenizer(base)
    template = ChatTemplate(tokenizer, TemplateSettings())
    return ChatTokenizer(tokenizer, template, end_tokens(base, tokenizer)), template


def plain(base: Path) -> ChatTokenizer:
    return tokenizers(base)[0]


def test_answers_may_be_left_out(unmarked_base: Path):
    """An answer with `learnt: false` is context only."""
    first = ChatTurn(role="assistant", content=FIRST, learnt=False)
    (row,) = plain(unmarked_base).rows([CHAT[1], first, *CHAT[3:]])
    assert len(spans(row)) == 1
    assert "First" not in load_tokenizer(unmarked_base).decode([label for label in row.labels if label != IGNORED])


@pytest.mark.parametrize(
    ("template", "error", "message"),
    [
        (PLAIN_TEMPLATE.replace("<|end|>", ""), ModelError, r"writes no end token after an answer \(.*'<\|end\|>'"),
        (PLAIN_TEMPLATE.replace("message['content']", "message['content'][:9]"), DataError, "does not write"),
        (
            PLAIN_TEMPLATE + "{% if add_generation_prompt %}!{% endif %}",
            ModelError,
            r"what it writes when the answer is asked: '.*' instead of '.*!'",
        ),
    ],
)
def test_templates_that_cannot_be_learnt_are_refused(copy_of_base, template: str, error: type, message: str):
    """No end token, a cut answer, and a prompt that is no beginning of the chat."""
    with pytest.raises(error, match=message):
        plain(copy_of_base(template)).rows(CHAT[1:3])


def test_an_end_token_inside_an_answer_is_refused(unmarked_base: Path):
    """The model would learn to stop there."""
    with pytest.raises(DataError, match=r"the answer 'It is<\|end\|>two.' holds '<\|end\|>', at which the model would"):
        plain(unmarked_base).rows([say("user", "One?"), say("assistant", "It is<|end|>two.")])


def test_rows_that_are_too_long_are_counted(unmarked_base: Path, build):
    """The first one is named, with its line, how many there are and the longest; nothing is cut."""
    chats = [build.chat("Yes?" * n, "It is.", line=n + 3) for n in (1, 20, 30)]
    with pytest.raises(
        DataError,
        match=r"training row 2 \(line 23\) has \d+ tokens, over recipe\.max_length 40; it begins 'Yes\?.*'\. 2 rows "
        r"are too long, the longest has \d+ tokens: raise max_length",
    ):
        list(tokenized(enumerate(chats, start=1), *tokenizers(unmarked_base), None, 40))
