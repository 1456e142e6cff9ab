"""Held-out training rows as suites: a prompt for each row, with the row's own answer as the reference."""

from collections.abc import Sequence

from components.shared.artifacts.suite_prompt import Message, SuitePrompt
from components.shared.data.chats import Chat
from components.shared.data.intents import RareRow
from components.shared.digests import digest_bytes
from components.shared.suites.suite_files import Suite, dump_prompts
from components.shared.vocabulary import RARE_CATEGORY, TASK_CATEGORY, Expectation

TASK_SUITE = "heldout-task"
RARE_SUITE = "rare-intents"


def task_suite(heldout: Sequence[Chat], expectation: Expectation) -> Suite | None:
    """The held-out rows as a suite: each asks for its row's last answer that is learnt.

    Args:
        heldout: the rows.
        expectation: how answers are compared with the rows' own.

    Returns:
        None if no row is held out.
    """
    prompts = [
        _heldout_prompt(chat, f"{TASK_CATEGORY}-{number:04d}").model_copy(
            update={"suite": TASK_SUITE, "expectation": expectation}
        )
        for number, chat in enumerate(heldout, start=1)
    ]
    return _suite(TASK_SUITE, prompts)


def rare_suite(rare: Sequence[RareRow]) -> Suite | None:
    """Held-out rows of rare intents as a suite: an answer passes if it shares most of the row's words."""
    prompts = [
        _heldout_prompt(row.chat, f"{RARE_CATEGORY}-{number:04d}").model_copy(
            update={
                "suite": RARE_SUITE,
                "category": RARE_CATEGORY,
                "expectation": Expectation.SIMILAR,
                "tags": (f"intent:{row.intent}", f"trained:{row.trained}"),
            }
        )
        for number, row in enumerate(rare, start=1)
    ]
    return _suite(RARE_SUITE, prompts)


def _heldout_prompt(chat: Chat, prompt_id: str) -> SuitePrompt:
    system = next((turn.content for turn in chat.messages if turn.role == "system"), None)
    last = max(place for place, turn in enumerate(chat.messages) if turn.role == "assistant" and turn.learnt)
    turns = tuple(turn for turn in chat.messages[: last + 1] if turn.role != "system")
    return SuitePrompt(
        id=prompt_id,
        category=TASK_CATEGORY,
        prompt=turns[-2].content,
        system=system,
        messages=tuple(Message(role=turn.role, content=turn.content) for turn in turns[:-2]),
        expectation=Expectation.EXACT,
        reference=turns[-1].content,
        source=f"held-out training row, {chat.file and f'{chat.file}, '}line {chat.line}",
    )


def _suite(name: str, prompts: Sequence[SuitePrompt]) -> Suite | None:
    return Suite(name, "1", digest_bytes(dump_prompts(prompts)), tuple(prompts)) if prompts else None
