"""Every kind of instruction by its id: checks that constraints are well-formed, and whether an answer follows one.

An answer is read as it stands: IFEval's strict accuracy.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from components.shared.artifacts.suite_prompt import Constraint
from components.shared.judges.constraints.formats import FORMAT_KINDS
from components.shared.judges.constraints.keywords import KEYWORD_KINDS
from components.shared.judges.constraints.kind import Kind, Kinds
from components.shared.judges.constraints.lengths import LENGTH_KINDS
from components.shared.judges.constraints.plain_rules import PLAIN_KINDS
from components.shared.judges.constraints.wording import WORDING_KINDS

KINDS: Kinds = {**KEYWORD_KINDS, **LENGTH_KINDS, **FORMAT_KINDS, **WORDING_KINDS, **PLAIN_KINDS}


def check_constraints(constraints: Iterable[Constraint]) -> str | None:
    """The first thing that is wrong with constraints, with its cure, or None.

    An argument that is null is left out: tables of IFEval have a column for every argument.
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


def is_followed(constraint: Constraint, answer: str) -> bool:
    """Whether the answer, as it stands, follows the instruction.

    An empty answer follows nothing, except that it keeps a secret.

    Raises:
        KeyError, pydantic.ValidationError: `check_constraints` names a problem.
    """
    kind = KINDS[constraint.id]
    arguments = _read(kind, constraint)
    return kind.follows(arguments, answer) if answer.strip() else kind.guards


def _read(kind: Kind[Any], constraint: Constraint) -> Any:
    return kind.arguments.model_validate(
        {name: value for name, value in constraint.arguments.items() if value is not None}
    )
