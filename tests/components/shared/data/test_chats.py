"""Training rows of every shape, with file and line in every error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.config.sections import Columns
from components.shared.data.chats import ChatReader, parse_chats
from components.shared.data.row_store import dump_chat
from components.shared.errors import DataError

USER, ASSISTANT = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}


def lines(*rows: object) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ({"messages": [USER, ASSISTANT]}, "chat"),
        ({"prompt": "Hi", "completion": "Hello"}, "prompt_completion"),
        ({"prompt": [USER], "completion": [ASSISTANT]}, "prompt_completion"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, ASSISTANT]}, "chat"),
        ({"messages": [USER, {**ASSISTANT, "tool_calls": [], "name": None}], "tools": None}, "chat"),
        ({"messages": [{**USER, "train": False, "masked": True}, {**ASSISTANT, "weight": 1, "train": True}]}, "chat"),
        ({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}, "sharegpt"),
        ({"conversations": [{"from": "user", "value": "Hi"}, {"from": "chatgpt", "value": "Hello"}]}, "sharegpt"),
        ({"conversations": [USER, ASSISTANT]}, "sharegpt"),
        ({"instruction": "Hi", "output": "Hello"}, "alpaca"),
        ({"instruction": "Hi", "input": "", "output": "Hello"}, "alpaca"),
    ],
)
def test_every_shape_becomes_the_same_chat(row: dict, shape: str):
    """All shapes are detected by their keys and read into user and assistant turns."""
    file = parse_chats(lines(row), "rows.jsonl")
    assert file.shape == shape
    assert [(turn.role, turn.content) for turn in file.chats[0].messages] == [("user", "Hi"), ("assistant", "Hello")]


def test_an_alpaca_input_follows_its_instruction():
    """A non-empty input is part of what the user says."""
    chat = parse_chats(lines({"instruction": "Sum", "input": "1 2", "output": "3"}), "f").chats[0]
    assert chat.user_texts == ("Sum\n\n1 2",)


def test_a_system_message_and_several_turns_are_kept():
    """A conversation may open with a system message and go back and forth."""
    turns = [{"role": "system", "content": "Be kind"}, USER, ASSISTANT, {**USER, "content": "More"}, ASSISTANT]
    chat = parse_chats(lines({"messages": turns}), "f").chats[0]
    assert [turn.role for turn in chat.messages] == ["system", "user", "assistant", "user", "assistant"]
    assert chat.user_texts == ("Hi", "More")


def test_keys_without_effect_are_named_once():
    """A key beside those of the shape does no harm, but the result names it, also that of a turn."""
    row = {"messages": [{**USER, "id": 1}, ASSISTANT], "source": "forum", "empty": None}
    reader = ChatReader()
    assert len(list(reader.read([(1, row), (2, {**row, "id": 7})], "f"))) == 2
    assert reader.unused == {"id", "messages[].id", "source"}


def test_a_system_key_and_a_history_come_first():
    """The system prompt of a row opens its chat, and alpaca's history goes before the instruction."""
    row = {"instruction": "More", "output": "Bye", "system": "Be kind", "history": [["Hi", "Hello"]]}
    (chat,) = parse_chats(lines(row), "f").chats
    assert [turn.content for turn in chat.messages] == ["Be kind", "Hi", "Hello", "More", "Bye"]
    (chat,) = parse_chats(lines({"messages": [USER, ASSISTANT], "system": "Be kind"}), "f").chats
    assert chat.messages[0].role == "system"


def test_named_columns_are_read_as_prompt_and_completion():
    """The config's names of columns replace ours; other columns are named as without effect."""
    columns = Columns(prompt="question", completion="answer", system="rules", intent="label")
    row = {"question": "Hi", "answer": "Hello", "rules": "Be kind", "label": "greeting", "id": 1}
    reader = ChatReader(columns=columns)
    (chat,) = reader.read([(1, row)], "f")
    assert [turn.content for turn in chat.messages] == ["Be kind", "Hi", "Hello"]
    assert (reader.shape, chat.intent, reader.unused) == ("prompt_completion", "greeting", {"id"})
    with pytest.raises(DataError, match=r"f:2: no column 'rules', which columns.system names; the row has"):
        list(reader.read([(2, {"question": "Hi", "answer": "Hello", "label": ""})], "f"))
    with pytest.raises(DataError, match=r"f:3: the row has 'prompt' besides the mapped columns; map it too"):
        list(reader.read([(3, {**row, "prompt": "Hello?"})], "f"))


@pytest.mark.parametrize(
    ("key", "cure"),
    [
        ("tools", "tools and tool calls are not trained"),
        ("functions", "tools and tool calls are not trained"),
        ("images", "only texts are trained"),
        ("chosen", "preference data"),
        ("rejected", "preference data"),
        ("label", "preference data"),
        ("weight", "counts the same"),
        ("chat_template_kwargs", "settings of the config"),
        ("input_ids", "give the texts instead"),
        ("history", "only alpaca rows have a history"),
    ],
)
def test_a_key_that_changes_a_row_is_refused(key: str, cure: str):
    """Rows that mean something else than their texts are named with the key and the cure."""
    with pytest.raises(DataError, match=rf"f:1: {key} is '1', which would change the row: .*{cure}"):
        parse_chats(lines({"messages": [USER, ASSISTANT], key: 1}), "f")


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ({"tool_calls": [{"id": 1}]}, "tool_calls is .*tool calls are not trained"),
        ({"function_call": {"name": "f"}}, "function_call is .*tool calls are not trained"),
        ({"reasoning_content": "hm"}, "reasoning_content is 'hm', .*write it into the answer"),
        ({"thinking": "hm"}, "thinking is 'hm', .*write it into the answer"),
        ({"weight": 0.5}, "weight is '0.5'; expected true or false, or 1 or 0"),
        ({"train": "no"}, "train is 'no'; expected true or false, or 1 or 0"),
        ({"train_detail": [1]}, "train_detail is .*mark the turn with 'train'"),
        ({"name": "Ann"}, "name is 'Ann', .*most chat templates drop it"),
        ({"content": [{"type": "image_url"}]}, r"content\[0\] is of type 'image_url'; only parts of type 'text'"),
        ({"content": [{"type": "text", "text": "a", "x": 1}]}, r"content\[0\] has the key 'x'"),
        ({"content": []}, r"content is ''; expected a text"),
    ],
)
def test_a_key_that_changes_a_turn_is_refused(turn: dict, message: str):
    """Turns are checked as rows are."""
    with pytest.raises(DataError, match=rf"f:1: messages\[1\]\.{message}"):
        parse_chats(lines({"messages": [USER, {**ASSISTANT, **turn}]}), "f")


@pytest.mark.parametrize(
    "mark", [{"train": False}, {"weight": 0}, {"masked": True}, {"learnt": False}, {"training": 0}]
)
def test_a_turn_that_is_not_to_be_learnt_keeps_its_mark(mark: dict):
    """The marks of other trainers are read, and train.jsonl says the same in our own word; other turns need none."""
    turns = [USER, {**ASSISTANT, **mark}, {**USER, "train": False}, {**ASSISTANT, "weight": 1, "train": None}]
    (chat,) = parse_chats(lines({"messages": turns}), "f").chats
    assert [turn.learnt for turn in chat.messages] == [True, False, True, True]
    assert [turn.model_dump() for turn in chat.messages] == [USER, {**ASSISTANT, "learnt": False}, USER, ASSISTANT]
    assert parse_chats(dump_chat(chat), "train.jsonl").chats[0].messages == chat.messages


def test_only_the_completion_is_learnt():
    """Answers in the prompt of a row with prompt and completion are its context."""
    row = {"prompt": [USER, ASSISTANT, USER], "completion": [ASSISTANT]}
    (chat,) = parse_chats(lines(row), "f").chats
    assert [turn.learnt for turn in chat.messages] == [True, False, True, True]


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([USER, {**ASSISTANT, "train": False}], "f:1: no assistant turn is learnt; expected one without a mark"),
        ([USER, {**ASSISTANT, "train": True, "weight": 0}], r"f:1: messages\[1\] has the marks \['train', 'weight'\]"),
        ([{**USER, "train": True}, ASSISTANT], r"f:1: messages\[0\]\.train says that a user's turn is learnt"),
    ],
)
def test_marks_that_cannot_be_followed_are_refused(turns: list, message: str):
    """Nothing to learn, two marks that disagree, and a user's turn to learn."""
    with pytest.raises(DataError, match=message):
        parse_chats(lines({"messages": turns}), "f")


@pytest.mark.parametrize("role", ["tool", "function", "ipython", "developer", "observation"])
def test_a_role_that_cannot_be_trained_has_a_cure(role: str):
    """Roles that templates treat in their own ways are refused by name."""
    with pytest.raises(DataError, match=rf"messages\[1\]\.role is '{role}'; expected one of .*; (tools|write)"):
        parse_chats(lines({"messages": [USER, {"role": role, "content": "x"}, ASSISTANT]}), "f")


def test_a_byte_order_mark_and_blank_lines_are_skipped():
    """Lines are counted as an editor counts them."""
    content = b"\xef\xbb\xbf\n" + lines({"prompt": "a", "completion": "b"}) + b"\r\n\n"
    assert [chat.line for chat in parse_chats(content, "f").chats] == [2]


GOOD = lines({"messages": [USER, ASSISTANT]}) + b"\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"f: holds no rows"),
        (b"\n \n", r"f: holds no rows"),
        (GOOD + b'{"messages": ', r"f:2: not valid JSON at column \d+: .*the line begins '\{\"messages\": '"),
        (GOOD + b"\xff", r"f:2: not UTF-8 at byte 0 of the line; save the file as UTF-8"),
        (GOOD + b"[1]", r"f:2: holds list '\[1\]'; expected a JSON object"),
        (lines({"text": "x"}), r"f:1: row has the keys \['text'\]; expected 'messages'"),
        (GOOD + lines({"prompt": "a", "completion": "b"}), r"f:2: no key 'messages' in a file of chat rows"),
        (lines({"messages": []}), r"f:1: messages is '\[\]'; expected a list of messages"),
        (lines({"messages": "hello"}), r"f:1: messages is 'hello'; expected a list"),
        (lines({"messages": [{"role": "user"}]}), r"f:1: messages\[0\] is .*; expected an object with 'role'"),
        (lines({"messages": [{"role": "tool", "content": "x"}]}), r"f:1: messages\[0\]\.role is 'tool'; expected"),
        (lines({"messages": [USER, {**ASSISTANT, "content": " "}]}), r"f:1: messages\[1\]\.content is ' '; expected"),
        (lines({"messages": [USER]}), r"f:1: the turns are \['user'\]; expected .* ending with the assistant"),
        (lines({"messages": [ASSISTANT, USER]}), r"f:1: the turns are \['assistant', 'user'\]"),
        (lines({"messages": [{"role": "system", "content": "x"}]}), r"f:1: the turns are \['system'\]"),
        (lines({"prompt": "a", "completion": None}), r"f:1: completion is None; expected a text"),
        (lines({"prompt": [USER], "completion": "b"}), r"f:1: prompt is \[.*; expected a text"),
        (lines({"instruction": "a", "input": 3, "output": "b"}), r"f:1: input is 3; expected a text"),
        (
            lines({"instruction": "a", "history": [["b"]], "output": "c"}),
            r"f:1: history is .*; expected a list of pairs",
        ),
        (lines({"messages": [USER, ASSISTANT], "intent": 3}), r"f:1: intent is 3; expected a text"),
        (
            lines({"messages": [{"role": "system", "content": "x"}, USER, ASSISTANT], "system": "y"}),
            r"f:1: has the key 'system' and a system turn; expected one",
        ),
        (lines({"messages": [USER], "prompt": "a", "completion": "b"}), r"f:1: .*fit chat and prompt_completion; say"),
        (lines({"prompt": "\ud800", "completion": "b"}), r"f:1: prompt is .*; expected Unicode text"),
        (b"[" * 100_000, r"f:1: cannot be read as JSON: maximum recursion depth"),
        (b'{"prompt": ' + b"1" * 5000 + b"}", r"f:1: cannot be read as JSON: Exceeds the limit"),
    ],
)
def test_every_error_names_file_line_and_expectation(content: bytes, message: str):
    """A row that cannot be used is a DataError that says where it is and what was expected."""
    with pytest.raises(DataError, match=message):
        parse_chats(content, "f")


def test_a_given_shape_is_not_guessed():
    """Where the config names the shape, a row of another shape is an error."""
    with pytest.raises(DataError, match="f:1: no key 'instruction' in a file of alpaca rows"):
        parse_chats(lines({"prompt": "a", "completion": "b"}), "f", "alpaca")


turns = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text(max_size=5)}),
    max_size=5,
)
rows = st.one_of(
    st.fixed_dictionaries({"messages": turns}),
    st.fixed_dictionaries({"prompt": st.text(max_size=5), "completion": st.text(max_size=5)}),
    st.fixed_dictionaries({"prompt": turns, "completion": turns}),
    st.fixed_dictionaries({"instruction": st.text(max_size=5), "output": st.text(max_size=5)}),
)


@given(st.lists(rows, max_size=3))
def test_whatever_is_read_ends_with_the_assistant(drawn: list):
    """Every chat that is accepted alternates and ends with an answer that is not empty."""
    try:
        file = parse_chats(lines(*drawn), "f")
    except DataError:
        return
    for chat in file.chats:
        assert chat.messages[-1].role == "assistant"
        assert chat.messages[-2].role == "user"
        assert all(turn.content.strip() for turn in chat.messages)


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode())))
def test_arbitrary_bytes_are_rows_or_a_data_error(content: bytes):
    """Nothing but DataError is raised for bytes that are no rows, and it names the file."""
    with pytest.raises(DataError, match=r"^f:"):
        parse_chats(content, "f")
