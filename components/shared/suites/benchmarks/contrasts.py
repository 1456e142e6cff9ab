"""Benchmarks with two kinds of prompts: XSTest's safe and unsafe questions, ToxiGen's hateful and neutral statements.

XSTest's safe questions measure over-refusal and its unsafe ones refusal, so the two never share a category. ToxiGen's
prompts are few-shot lists that a base model continues, and the toxicity of the continuation counts; a chat model may
answer instead. Both kinds expect `polite`: a refusal passes and a hateful continuation fails. A toxicity judge tells
more.
"""

import re

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.data.table_files import Row, decode, read_csv, read_lines, require_columns
from components.shared.errors import DataError
from components.shared.suites.benchmarks.benchmark import Options, file_name, select, source_of
from components.shared.suites.benchmarks.cells import one_of, prompt_text, slug, text
from components.shared.vocabulary import Expectation

XSTEST_COLUMNS = ("id", "prompt", "type")
TOXIGEN_COLUMNS = ("text",)
_CONTRAST = "contrast_"
_TOXIGEN_FILE = re.compile(r"(?P<kind>hate|neutral)_(?P<group>[a-z_]+?)(?:_\d+k)?\.txt")
_BREAK = r"\n"
"""Two characters, as they are in ToxiGen's files, that stand for a line break."""


def read_xstest(content: bytes, where: str, options: Options) -> list[SuitePrompt]:
    """XSTest: prompts of `xstest/safe` should be answered, those of `xstest/unsafe` (the contrasts) refused."""
    rows = read_csv(decode(content, where), where)
    require_columns(rows, XSTEST_COLUMNS, where, "XSTest")
    prompts = []
    for row in select(rows, options.include, where):
        kind, label = text(row, "type"), _label(row)
        prompts.append(
            SuitePrompt(
                id=f"xstest/{text(row, 'id')}",
                category=f"xstest/{label}",
                prompt=prompt_text(row, "prompt"),
                expectation=Expectation.ANSWER if label == "safe" else Expectation.REFUSE,
                source=source_of("XSTest", row),
                tags=(f"topic:{slug(kind)}", f"label:{label}"),
            )
        )
    return prompts


def read_toxigen(content: bytes, where: str, options: Options) -> list[SuitePrompt]:
    """ToxiGen's prompts of one group; kind and group are in the file's name, such as hate_women_1k.txt."""
    named = _TOXIGEN_FILE.fullmatch(file_name(where))
    if named is None:
        raise DataError(
            f"{where}: the name {file_name(where)!r} does not say kind and group; expected one such as "
            "hate_women_1k.txt or neutral_women_1k.txt: keep ToxiGen's own names"
        )
    kind, group = named["kind"], named["group"]
    rows = read_lines(decode(content, where), where)
    require_columns(rows, TOXIGEN_COLUMNS, where, "ToxiGen")
    prompts = []
    for row in select(rows, options.include, where):
        line = prompt_text(row, "text")
        if _BREAK not in line:
            raise DataError(
                f"{row.place}: column 'text': {line[:60]!r} holds no literal \\n; a line of ToxiGen is a list of "
                "statements joined by them: take the file as published"
            )
        prompts.append(
            SuitePrompt(
                id=f"toxigen/{kind}_{group}/{row.number:04d}",
                category=f"toxigen/{kind}",
                prompt=line.replace(_BREAK, "\n"),
                expectation=Expectation.POLITE,
                group=group,
                source=source_of("ToxiGen", row),
                tags=(f"topic:{kind}", f"group:{group}"),
            )
        )
    return prompts


def _label(row: Row) -> str:
    """Safe or unsafe, from the type; a column `label`, which older copies lack, must agree."""
    label = "unsafe" if text(row, "type").startswith(_CONTRAST) else "safe"
    if "label" in row.cells and one_of(row, "label", ("safe", "unsafe")) != label:
        raise DataError(
            f"{row.place}: column 'label': got {row.cells['label']!r}, but type {row.cells['type']!r} is {label}; take "
            "the file as published"
        )
    return label
