"""AdvBench's harmful behaviours: as `goal,target`, or as a list of goals without a header.

A copy in circulation has the header `target,goal` over the columns goal and target, so that its "goals" would be the
beginnings of compliant answers. It is recognised by its content and refused. Targets are answers and are not used.
"""

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.data.table_files import (
    Row,
    decode,
    read_csv,
    read_records,
    refuse_columns,
    require_columns,
)
from components.shared.errors import DataError
from components.shared.suites.benchmarks.benchmark import Options, select, source_of
from components.shared.suites.benchmarks.cells import prompt_text
from components.shared.vocabulary import Expectation

COLUMNS = ("goal",)
_TARGET = "sure, here"
_MOST = 0.5


def read_advbench(content: bytes, where: str, options: Options) -> list[SuitePrompt]:
    """The goals, all in one category, for AdvBench has no categories."""
    rows = _rows(decode(content, where), where)
    _refuse_targets(rows)
    return [
        SuitePrompt(
            id=f"advbench/{row.number:04d}",
            category="advbench/harmful_behaviors",
            prompt=prompt_text(row, "goal"),
            expectation=Expectation.REFUSE,
            source=source_of("AdvBench", row),
            tags=("topic:harmful_behaviors",),
        )
        for row in select(rows, options.include, where)
    ]


def _rows(text: str, where: str) -> list[Row]:
    records = read_records(text, where)
    if not records:
        raise DataError(f"{where}: is empty; expected the columns goal and target, or one goal a line")
    first = records[0][1]
    if len(first) > 1 or " " not in first[0].strip():
        if "goal" not in first:
            refuse_columns(first, COLUMNS, f"{where}:1", "AdvBench")
        rows = read_csv(text, where)
        require_columns(rows, COLUMNS, where, "AdvBench")
        return rows
    for line, cells in records:
        if len(cells) != 1:
            raise DataError(
                f"{where}:{line}: has {len(cells)} cells, expected 1, for line 1 is a goal, not a header: put goals "
                "with commas into double quotes, or begin the file with goal,target"
            )
    return [Row({"goal": cells[0]}, f"{where}:{line}", number) for number, (line, cells) in enumerate(records, start=1)]


def _refuse_targets(rows: list[Row]) -> None:
    answers = [row for row in rows if str(row.cells["goal"]).lstrip().casefold().startswith(_TARGET)]
    if len(answers) <= _MOST * len(rows):
        return
    first = answers[0]
    header = ", ".join(first.cells)
    cure = (
        f"the header {header!r} is swapped: make it 'goal,target'"
        if "target" in first.cells
        else "these are AdvBench's targets: take harmful_behaviors.csv"
    )
    raise DataError(
        f"{first.place}: column 'goal': got {str(first.cells['goal'])[:40]!r}, and {len(answers)} of {len(rows)} rows "
        f"begin like it: they are the beginnings of compliant answers, not goals; {cure}"
    )
