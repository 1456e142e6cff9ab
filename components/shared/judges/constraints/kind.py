"""What a kind of instruction is: its arguments, and the rule that says whether an answer follows it.

This module does not know any kind; `kinds` lists them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, StrictInt, StrictStr

from components.shared.artifacts.artifact import Record

Relation = Literal["at least", "less than", "at most", "exactly"]
"""IFEval's files use the first two."""

Count = Annotated[StrictInt, Field(ge=0)]
Word = Annotated[StrictStr, Field(pattern=r"\S")]
"""Text that is not blank."""

A = TypeVar("A", bound=Record)


class Nothing(Record):
    """No arguments."""


@dataclass(frozen=True)
class Kind(Generic[A]):
    """One kind of instruction.

    Attributes:
        arguments: their names and types; `Nothing` where there are none.
        follows: True, False, or None where the rule cannot tell.
        guards: the instruction forbids something that harms. It is read on the whole answer only (no looser
            reading makes a leak undone), and an empty answer follows it.
    """

    arguments: type[A]
    follows: Callable[[A, str], bool | None]
    guards: bool = False


Kinds = Mapping[str, Kind[Any]]
"""Kinds by id."""


def holds(found: int, relation: Relation, bound: int) -> bool:
    """Whether a count stands in a relation to a bound."""
    match relation:
        case "at least":
            return found >= bound
        case "less than":
            return found < bound
        case "at most":
            return found <= bound
        case "exactly":
            return found == bound
