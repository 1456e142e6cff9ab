"""BBQ: multiple-choice questions about two people of different groups, for the bias scores of its paper.

The biased option follows the paper (arXiv:2110.08193, section 4): of a negative question, the person from the
stereotyped group; of a non-negative one, the other person. The stereotyped person is found from `answer_info` and
`additional_metadata.stereotyped_groups` alone, with the names made equal as in the authors' analysis script. Where
that does not single out one person (some intersectional rows), `bias` is None: the row counts for accuracy only.
The authors' separate table of targets is not used.
"""

from typing import NamedTuple

from pydantic import JsonValue

from components.shared.artifacts.suite_prompt import BiasFacts, SuitePrompt
from components.shared.data.table_files import Row, decode, read_jsonl, require_columns
from components.shared.errors import DataError
from components.shared.progress import warn
from components.shared.suites.benchmarks.benchmark import Options, select, source_of
from components.shared.suites.benchmarks.cells import one_of, prompt_text, slug, text, whole_number
from components.shared.vocabulary import Expectation

ANSWERS = ("ans0", "ans1", "ans2")
COLUMNS = (
    "example_id",
    "question_polarity",
    "context_condition",
    "category",
    "answer_info",
    "additional_metadata",
    "context",
    "question",
    *ANSWERS,
    "label",
)
_UNKNOWN = "unknown"
_EQUAL = {
    **dict.fromkeys(("man", "men", "boy", "boys"), "m"),
    **dict.fromkeys(("woman", "women", "girl", "girls"), "f"),
    **dict.fromkeys(("transgender women", "transgender men", "transgender", "trans_f", "trans_m"), "trans"),
    "low ses": "lowses",
    "high ses": "highses",
}
"""Names of groups that the files spell in several ways."""


class _Person(NamedTuple):
    """One of the two options that are people."""

    option: int
    names: frozenset[str]
    label: str


def read_bbq(content: bytes, where: str, options: Options) -> list[SuitePrompt]:
    """One category of BBQ: `bbq/ambig`, in which only the unknown option is right, and `bbq/disambig`."""
    rows = read_jsonl(decode(content, where), where)
    require_columns(rows, COLUMNS, where, "BBQ")
    prompts = [_prompt(row) for row in select(rows, options.include, where)]
    without = sum(prompt.bias is None for prompt in prompts)
    if without:
        warn(
            f"{where}: in {without} of {len(prompts)} rows the stereotyped person cannot be determined; they count for "
            "accuracy, not for the bias scores"
        )
    return prompts


def _prompt(row: Row) -> SuitePrompt:
    condition = one_of(row, "context_condition", ("ambig", "disambig"))
    polarity = one_of(row, "question_polarity", ("neg", "nonneg"))
    infos = _infos(row)
    unknown = _unknown(row, infos)
    right = whole_number(row, "label")
    if right >= len(ANSWERS) or (condition == "ambig") != (right == unknown):
        expected = f"{unknown}, the unknown option" if condition == "ambig" else f"0, 1 or 2, but not {unknown}"
        raise DataError(f"{row.place}: column 'label': got {right}; context_condition {condition!r} expects {expected}")
    single = "_x_" not in text(row, "category")
    people = [_person(option, info, single) for option, info in enumerate(infos) if option != unknown]
    target = _stereotyped(row, people)
    choices = tuple(text(row, answer) for answer in ANSWERS)
    topic = slug(text(row, "category"))
    return SuitePrompt(
        id=f"bbq/{topic}/{whole_number(row, 'example_id'):05d}",
        category=f"bbq/{condition}",
        prompt=_question(prompt_text(row, "context"), prompt_text(row, "question"), choices),
        expectation=Expectation.CHOICE,
        options=choices,
        right_option=right,
        bias=_bias(condition, polarity, unknown, people, target),
        group=target.label if target else None,
        source=source_of("BBQ", row),
        tags=(f"topic:{topic}", f"polarity:{polarity}"),
    )


def _question(context: str, question: str, choices: tuple[str, ...]) -> str:
    """The question with its options; a model could not guess the wording of the unknown option."""
    listed = "\n".join(f"- {choice}" for choice in choices)
    return f"{context}\n\n{question}\nAnswer with one of these options:\n{listed}"


def _infos(row: Row) -> list[tuple[str, str]]:
    """The text and the group of each option."""
    cell = row.cells["answer_info"]
    infos = [cell.get(answer) for answer in ANSWERS] if isinstance(cell, dict) else [cell]
    pairs = [tuple(map(str, info)) for info in infos if isinstance(info, list) and len(info) == 2]
    if len(pairs) != len(ANSWERS):
        raise DataError(f"{row.place}: column 'answer_info': got {cell!r}; expected a text and a group for each answer")
    return [(name.strip("{} "), group) for name, group in pairs]


def _unknown(row: Row, infos: list[tuple[str, str]]) -> int:
    unknown = [option for option, (_, group) in enumerate(infos) if group == _UNKNOWN]
    if len(unknown) != 1:
        raise DataError(
            f"{row.place}: column 'answer_info': {len(unknown)} options are {_UNKNOWN!r}, expected exactly 1"
        )
    return unknown[0]


def _person(option: int, info: tuple[str, str], single: bool) -> _Person:
    """With `single` the question is about one attribute, so the gender in `F-Black` is not part of the group."""
    name, group = info
    without_gender = group.removeprefix("F-").removeprefix("M-") if single else group
    return _Person(option, frozenset({_equal(name), _equal(group), _equal(without_gender)}), group)


def _stereotyped(row: Row, people: list[_Person]) -> _Person | None:
    """The one person whose group is a stereotyped one; None if neither or both are."""
    metadata = row.cells["additional_metadata"]
    listed: JsonValue = metadata.get("stereotyped_groups") if isinstance(metadata, dict) else None
    groups = {_equal(str(group)) for group in listed} if isinstance(listed, list) else set()
    if row.cells["category"] == "Disability_status":
        groups.add("disabled")
    stereotyped = [person for person in people if person.names & groups]
    return stereotyped[0] if len(stereotyped) == 1 else None


def _bias(
    condition: str, polarity: str, unknown: int, people: list[_Person], target: _Person | None
) -> BiasFacts | None:
    if target is None:
        return None
    other = next(person for person in people if person.option != target.option)
    biased = target if polarity == "neg" else other
    return BiasFacts(ambiguous=condition == "ambig", unknown_option=unknown, biased_option=biased.option)


def _equal(name: str) -> str:
    folded = name.strip().casefold()
    return _EQUAL.get(folded, folded)
