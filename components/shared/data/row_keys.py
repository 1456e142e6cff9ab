"""Which keys of a training row and of its turns are used, refused by name, or without effect.

A key that changes what a row means is never left out in silence: it is honoured, or it is an error. Keys of trl,
OpenAI, LLaMA-Factory and axolotl are known; any other key is reported once per file.
"""

from collections.abc import Mapping
from typing import Any

from components.shared.errors import DataError

_TOOLS = "tools and tool calls are not trained: remove the row, or write what was called into its texts"
_MEDIA = "only texts are trained: remove the row, or the key if the texts alone make sense"
_PREFERENCE = "it belongs to preference data, and only good answers are trained: keep the good answers as completions"
_REASONING = (
    "reasoning is not trained apart from the answer: write it into the answer as the base model does, or remove it"
)
_WEIGHTS = "every row counts the same: remove the key"
_TEMPLATE = "the chat template gets the settings of the config, not of a row: remove the key"
_TOKENS = "rows are tokenized here: give the texts instead"
_NAME = "most chat templates drop it: write the name into the text, or remove the key"
_HISTORY = "only alpaca rows have a history: write the earlier turns as messages"

_MEANING: dict[str, str] = {
    **dict.fromkeys(
        ("tools", "tool_calls", "tool_call_id", "functions", "function_call", "parallel_tool_calls"), _TOOLS
    ),
    **dict.fromkeys(("image", "images", "video", "videos", "audio", "audios"), _MEDIA),
    **dict.fromkeys(("chosen", "rejected", "label", "kto_tag", "rejected_messages", "preferred_output"), _PREFERENCE),
    **dict.fromkeys(("non_preferred_output", "margin"), _PREFERENCE),
    **dict.fromkeys(("reasoning", "reasoning_content", "thinking"), _REASONING),
    **dict.fromkeys(("weight", "train", "training", "train_detail", "masked", "learnt"), _WEIGHTS),
    **dict.fromkeys(("chat_template_kwargs", "chat_template"), _TEMPLATE),
    **dict.fromkeys(("input_ids", "labels", "attention_mask", "assistant_masks", "completion_mask"), _TOKENS),
}
_ROW = {**_MEANING, "history": _HISTORY}
_TURN = {
    **_MEANING,
    "name": _NAME,
    "refusal": "write the refusal as the turn's content",
    "train_detail": "a turn is learnt as a whole or not at all: mark the turn with 'train'",
}

MARKS = frozenset({"learnt", "weight", "train", "training", "masked"})
"""Keys of a turn that say whether it is learnt; `masked` says the opposite."""

ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
}
"""The role of a turn, by its name in the file."""

_REFUSED_ROLES = {
    **dict.fromkeys(("tool", "function", "ipython", "function_call", "observation", "tool_call"), _TOOLS),
    "developer": "write it as a system turn, if it is meant as the base model's system prompt",
}


def unused_keys(row: Mapping[str, Any], used: frozenset[str], place: str) -> set[str]:
    """The keys of a row that have no effect.

    Args:
        row: the row.
        used: the keys that its reader honours.
        place: file and line, for errors.

    Raises:
        DataError: a key that is not used would change what the row means.
    """
    return _unused(row, used, _ROW, "", place)


def read_learnt(turn: Mapping[str, Any], role: str, where: str, place: str) -> bool:
    """Whether a turn is learnt as far as its marks say: false only for an assistant's turn that is marked so.

    The marks are those of axolotl (`train`, `training`), OpenAI (`weight`), `masked`, and `learnt` of train.jsonl.

    Args:
        turn: the turn.
        role: system, user or assistant.
        where: the turn's place in the row, such as messages[0].
        place: file and line, for errors.

    Raises:
        DataError: a mark is not 0 or 1, two marks disagree, or another turn than an assistant's is to be learnt.
    """
    said: dict[str, bool] = {}
    for name in sorted(MARKS & turn.keys()):
        value = turn[name]
        if is_empty(value):
            continue
        if not isinstance(value, (bool, int, float)) or value not in (0, 1):
            raise DataError(
                f"{place}: {where}.{name} is {str(value)[:60]!r}; expected true or false, or 1 or 0: a turn is learnt "
                "as a whole or not at all"
            )
        said[name] = bool(value) is not (name == "masked")
    if len(set(said.values())) > 1:
        raise DataError(
            f"{place}: {where} has the marks {sorted(said)}, which disagree; expected one: remove the other"
        )
    learnt = next(iter(said.values()), True)
    if role != "assistant" and said and learnt:
        raise DataError(
            f"{place}: {where}.{next(iter(said))} says that a {role}'s turn is learnt; only assistant turns are: "
            "remove the key"
        )
    return learnt or role != "assistant"


def unused_turn_keys(turn: Mapping[str, Any], used: frozenset[str], where: str, place: str) -> set[str]:
    """The keys of a turn that have no effect.

    Args:
        turn: the turn.
        used: the keys that are read.
        where: the turn's place in the row, such as messages[0].
        place: file and line, for errors.

    Raises:
        DataError: a key that is not used would change what the turn means.
    """
    return _unused(turn, used, _TURN, f"{where}.", place)


def read_role(name: object, where: str, place: str) -> str:
    """The role of a turn: system, user or assistant.

    Raises:
        DataError: it is another one.
    """
    role = ROLES.get(name) if isinstance(name, str) else None
    if role is None:
        why = _REFUSED_ROLES.get(name, "") if isinstance(name, str) else ""
        listed = ", ".join(f"'{known}'" for known in ROLES)
        raise DataError(f"{place}: {where} is {name!r}; expected one of {listed}{why and f'; {why}'}")
    return role


def is_empty(value: object) -> bool:
    """Whether a key says nothing: null, an empty text, list or object, as a column has where a row lacks it."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def _unused(
    row: Mapping[str, Any], used: frozenset[str], refused: Mapping[str, str], prefix: str, place: str
) -> set[str]:
    left = {key for key, value in row.items() if key not in used and not is_empty(value)}
    for key in sorted(left & refused.keys()):
        raise DataError(f"{place}: {prefix}{key} is {str(row[key])[:60]!r}, which would change the row: {refused[key]}")
    return left
