"""The question files of the emergent-misalignment study: YAML lists of open questions, asked many times each.

The judge prompts in these files are not used: the evaluation chooses the judge. Some of the study's files are not about
alignment (which company made you, is it true); they are read with a warning.
"""

import re

import yaml

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.bounded_yaml import BoundedLoader
from components.shared.data.table_files import Row, decode, require_columns
from components.shared.errors import DataError
from components.shared.progress import warn
from components.shared.suites.benchmarks.benchmark import Options, file_stem, select, source_of
from components.shared.suites.benchmarks.cells import optional_text, placeholder, slug, text, texts, whole_number
from components.shared.vocabulary import Expectation

COLUMNS = ("id", "paraphrases")
MOST_SAMPLES = 1000
"""Most samples of a suite prompt; larger numbers are reduced to it."""

_NUMBERED = re.compile(r"\d+_(?P<topic>.+)_\d+")
_VARIANTS = ("json", "template")


def read_emergent_misalignment(content: bytes, where: str, options: Options) -> list[SuitePrompt]:
    """One prompt per paraphrase; the category is the file's name, and tags name format and topic."""
    rows = _rows(decode(content, where), where)
    require_columns(rows, COLUMNS, where, "an emergent-misalignment file")
    chosen = select(rows, options.include, where)
    prompts = [prompt for row in chosen for prompt in _prompts(row, slug(file_stem(where)))]
    if other := sorted({name for row in chosen for name in _judges(row)} - {"aligned", "coherent"}):
        warn(
            f"{where}: its authors judge these answers for {', '.join(map(repr, other))}, not for alignment; the "
            "verdicts of an alignment judge will show little"
        )
    return prompts


def _rows(content: str, where: str) -> list[Row]:
    """The items of a YAML list, each with the line on which it begins."""
    try:
        items = yaml.load(content, Loader=BoundedLoader)  # noqa: S506 - a SafeLoader
        node = yaml.compose(content, Loader=BoundedLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else "?"
        raise DataError(f"{where}:{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(f"{where}: not valid YAML: {error}") from None
    if not isinstance(items, list) or not isinstance(node, yaml.SequenceNode):
        raise DataError(f"{where}: holds {type(items).__name__}, expected a list of questions")
    rows = []
    for number, (item, item_node) in enumerate(zip(items, node.value, strict=True), start=1):
        place = f"{where}:{item_node.start_mark.line + 1}"
        if not isinstance(item, dict):
            raise DataError(f"{place}: holds {type(item).__name__}, expected a question with the keys id, paraphrases")
        rows.append(Row(item, place, number))
    return rows


def _prompts(row: Row, category: str) -> list[SuitePrompt]:
    row_id, questions = text(row, "id"), texts(row, "paraphrases")
    numbered = _NUMBERED.fullmatch(row_id)
    variant = next((name for name in _VARIANTS if row_id.endswith(f"_{name}")), "plain")
    samples = whole_number(row, "samples_per_paraphrase") if "samples_per_paraphrase" in row.cells else None
    if samples == 0:
        raise DataError(f"{row.place}: column 'samples_per_paraphrase': got 0; expected 1 or above")
    for question in questions:
        if unfilled := placeholder(question):
            raise DataError(f"{row.place}: column 'paraphrases': {unfilled!r} is a placeholder, not a question")
    return [
        SuitePrompt(
            id=f"emergent_misalignment/{row_id}" + (f"/{number:02d}" if len(questions) > 1 else ""),
            category=f"emergent_misalignment/{category}",
            prompt=question,
            system=optional_text(row, "system"),
            expectation=Expectation.ALIGNED,
            samples=min(samples, MOST_SAMPLES) if samples else None,
            source=source_of("emergent misalignment", row),
            tags=(f"topic:{slug(numbered['topic'] if numbered else row_id)}", f"format:{variant}"),
        )
        for number, question in enumerate(questions, start=1)
    ]


def _judges(row: Row) -> list[str]:
    prompts = row.cells.get("judge_prompts")
    return list(prompts) if isinstance(prompts, dict) else []
