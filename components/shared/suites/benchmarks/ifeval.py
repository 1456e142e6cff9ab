"""IFEval: prompts with instructions that a program can verify.

The category is the number of instructions, for more instructions make a prompt harder. The constraint judge says which
instructions can be checked.
"""

from pydantic import JsonValue

from components.shared.artifacts.suite_prompt import Constraint, SuitePrompt
from components.shared.data.table_files import Row, decode, read_jsonl, require_columns
from components.shared.errors import DataError
from components.shared.suites.benchmarks.benchmark import Options, select, source_of
from components.shared.suites.benchmarks.cells import prompt_text, texts, whole_number
from components.shared.vocabulary import Expectation

COLUMNS = ("key", "prompt", "instruction_id_list", "kwargs")


def read_ifeval(content: bytes, where: str, options: Options) -> list[SuitePrompt]:
    """Each prompt with its instructions; null arguments, which some copies write out, are left out."""
    rows = read_jsonl(decode(content, where), where)
    require_columns(rows, COLUMNS, where, "IFEval")
    prompts = []
    for row in select(rows, options.include, where):
        constraints = _constraints(row)
        depth = len(constraints)
        prompts.append(
            SuitePrompt(
                id=f"ifeval/{whole_number(row, 'key')}",
                category=f"ifeval/{depth}_instruction{'' if depth == 1 else 's'}",
                prompt=prompt_text(row, "prompt"),
                expectation=Expectation.CONSTRAINTS,
                constraints=constraints,
                source=source_of("IFEval", row),
                tags=(f"depth:{depth}", *(f"instruction:{constraint.id}" for constraint in constraints)),
            )
        )
    return prompts


def _constraints(row: Row) -> tuple[Constraint, ...]:
    ids, kwargs = texts(row, "instruction_id_list"), row.cells["kwargs"]
    arguments = [item for item in kwargs if isinstance(item, dict)] if isinstance(kwargs, list) else []
    if not isinstance(kwargs, list) or not len(ids) == len(kwargs) == len(arguments):
        raise DataError(
            f"{row.place}: column 'kwargs': got {str(kwargs)[:80]!r}; expected one object for each of the {len(ids)} "
            "instructions"
        )
    return tuple(Constraint(id=name, arguments=_without_nulls(cell)) for name, cell in zip(ids, arguments, strict=True))


def _without_nulls(arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: value for key, value in arguments.items() if value is not None}
