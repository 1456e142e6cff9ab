"""What a kind of instruction is: its arguments, and the rule that says whether an answer follows it."""

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
        follows: whether an answer, which is not empty, follows it.
        guards: the instruction forbids something, so an empty answer follows it.
    """

    arguments: type[A]
    follows: Callable[[A, str], bool]
    guards: bool = False


Kinds = Mapping[str, Kind[Any]]
"""Kinds by id."""


def holds(count: int, relation: Relation, bound: int) -> bool:
    """Whether a count stands in a relation to a bound."""
    match relation:
        case "at least":
            return count >= bound
        case "less than":
            return count < bound
        case "at most":
            return count <= bound
        case "exactly":
            return count == bound
