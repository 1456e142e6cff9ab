"""Every kind of instruction by its id, and what is asked of one: is it well-formed, does an answer follow it?

Strictly is on the answer as it stands. Loosely, as in IFEval, is on any of eight readings of it: without its first
line, its last line or both (a greeting, a closing remark), each with and without asterisks.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from components.shared.artifacts.suite_prompt import Constraint
from components.shared.judges.constraints.formats import FORMAT_KINDS
from components.shared.judges.constraints.keywords import KEYWORD_KINDS
from components.shared.judges.constraints.kind import Kind, Kinds
from components.shared.judges.constraints.lengths import LENGTH_KINDS
from components.shared.judges.constraints.plain_rules import OWN_KINDS
from components.shared.judges.constraints.wording import WORDING_KINDS

KINDS: Kinds = {**KEYWORD_KINDS, **LENGTH_KINDS, **FORMAT_KINDS, **WORDING_KINDS, **OWN_KINDS}


def check_constraints(constraints: Iterable[Constraint]) -> str | None:
    """The first thing that is wrong with constraints, with its cure, or None.

    Arguments that are null count as not given: tables of IFEval hold every argument's column in every row.
    """
    for place, constraint in enumerate(constraints):
        kind = KINDS.get(constraint.id)
        if kind is None:
            return f"constraints.{place}: unknown id {constraint.id!r}; known: {', '.join(sorted(KINDS))}"
        try:
            _read(kind, constraint)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            known = ", ".join(kind.arguments.model_fields) or "none"
            return (
                f"constraints.{place}: {constraint.id}: {name}: {first['msg']}; got {str(first['input'])[:80]!r}; "
                f"its arguments: {known}"
            )
    return None


def followed_strictly(constraint: Constraint, answer: str) -> bool | None:
    """Whether the answer as it stands follows the instruction; None where that cannot be told.

    An empty answer follows nothing, except that it keeps a secret.

    Raises:
        KeyError, pydantic.ValidationError: `check_constraints` names a problem.
    """
    kind = KINDS[constraint.id]
    arguments = _read(kind, constraint)
    if not answer.strip():
        return kind.guards
    return kind.follows(arguments, answer)


def followed_loosely(constraint: Constraint, answer: str) -> bool | None:
    """Whether any looser reading of the answer follows the instruction; see `followed_strictly`.

    A secret is looked for in the whole answer: what leaks strictly leaks loosely.
    """
    if KINDS[constraint.id].guards:
        return followed_strictly(constraint, answer)
    found = [followed_strictly(constraint, reading) for reading in _readings(answer)]
    return True if True in found else None if None in found else False


def _read(kind: Kind[Any], constraint: Constraint) -> Any:
    given = {name: value for name, value in constraint.arguments.items() if value is not None}
    return kind.arguments.model_validate(given)


def _readings(answer: str) -> list[str]:
    lines = answer.split("\n")
    cuts = ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    return [reading for text in (answer, *cuts) for reading in (text, text.replace("*", ""))]
