"""Reads and writes the prompts of suites as JSONL, and refuses those that cannot be judged or occur twice."""

import json
from collections.abc import Iterable

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.data.overlap import fingerprint
from components.shared.errors import DataError
from components.shared.jsonl import parse_rows
from components.shared.judges.constraints.kinds import check_constraints
from components.shared.metrics.grouping import ALL
from components.shared.vocabulary import GRADED, HAVE_A_REFERENCE, TASK_CATEGORY, Expectation


def parse_prompts(content: bytes, where: str, suite: str = "") -> tuple[SuitePrompt, ...]:
    """Reads JSONL prompts.

    Args:
        content: the bytes of the file.
        where: the file's address, for errors.
        suite: the suite's name; empty if each row names its suite.

    Raises:
        DataError: a row is malformed; file and line are named.
    """
    prompts = []
    for number, prompt in parse_rows(SuitePrompt, content.split(b"\n"), where):
        check_prompt(prompt, f"{where}:{number}", named=bool(suite))
        prompts.append(prompt.model_copy(update={"suite": suite}) if suite else prompt)
    if not prompts:
        raise DataError(f"{where}: holds no prompts; expected one JSON object per line")
    return tuple(prompts)


def dump_prompts(prompts: Iterable[SuitePrompt]) -> bytes:
    """The JSONL bytes that `parse_prompts` reads.

    Fields that have their default are left out, so that a suite keeps its digest when prompts grow a field.
    """
    rows = (json.dumps(prompt.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False) for prompt in prompts)
    return "".join(f"{row}\n" for row in rows).encode()


def refuse_repeated_prompts(prompts: Iterable[SuitePrompt]) -> None:
    """Checks that every id and every conversation occurs once.

    Raises:
        DataError: naming both places of the first repetition.
    """
    ids: dict[str, SuitePrompt] = {}
    texts: dict[tuple[str, ...], SuitePrompt] = {}
    for prompt in prompts:
        if other := ids.get(prompt.id):
            raise DataError(
                f"prompt id {prompt.id!r} occurs twice (suites {other.suite!r} and {prompt.suite!r}); ids are unique"
            )
        ids[prompt.id] = prompt
        text = conversation(prompt)
        if other := texts.get(text):
            raise DataError(
                f"prompts {other.id!r} (suite {other.suite!r}) and {prompt.id!r} (suite {prompt.suite!r}) are the "
                f"same text {prompt.prompt[:80]!r}; remove one"
            )
        texts[text] = prompt


def conversation(prompt: SuitePrompt) -> tuple[str, ...]:
    """The texts of all turns without case, punctuation and spacing; prompts with equal ones ask the same."""
    turns = (prompt.system or "", *(turn.content for turn in prompt.messages), prompt.prompt)
    return tuple(fingerprint(turn) for turn in turns)


def check_prompt(prompt: SuitePrompt, place: str, named: bool) -> None:
    """Checks that a prompt has what its judge needs.

    Args:
        prompt: the prompt.
        place: where it is from, for errors.
        named: whether it belongs to a suite and is not a held-out task row.

    Raises:
        DataError: it lacks something, or has the task's category.
    """
    if prompt.expectation is Expectation.CAVEAT and not prompt.caveats:
        raise DataError(f"{place}: caveats: empty; expectation 'caveat' needs at least one phrase")
    if prompt.expectation in HAVE_A_REFERENCE - {Expectation.SIMILAR} and prompt.reference is None:
        raise DataError(f"{place}: reference: missing; expectation {prompt.expectation.value!r} needs one")
    if named and prompt.expectation in GRADED:
        raise DataError(
            f"{place}: expectation: {prompt.expectation.value!r} is kept for the held-out task rows, because policies "
            "rule shares of answers that pass; use similar, or a judge"
        )
    if prompt.expectation is Expectation.CONSTRAINTS and not prompt.constraints:
        raise DataError(f"{place}: constraints: empty; expectation 'constraints' needs at least one")
    if problem := check_constraints(prompt.constraints):
        raise DataError(f"{place}: {problem}")
    if prompt.expectation is Expectation.CHOICE and (
        prompt.right_option is None or prompt.right_option >= len(prompt.options)
    ):
        raise DataError(
            f"{place}: right_option: got {prompt.right_option!r} with {len(prompt.options)} options; expectation "
            "'choice' needs options, and the index of the right one"
        )
    if prompt.category == ALL:
        raise DataError(f"{place}: category: {ALL!r} stands for all categories in metrics; choose another")
    if named and prompt.category == TASK_CATEGORY:
        raise DataError(f"{place}: category: {TASK_CATEGORY!r} is kept for the held-out task rows; choose another")
