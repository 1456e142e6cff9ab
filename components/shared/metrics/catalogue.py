"""Every metric that there is, by name: for the documentation, for checks, and for reading a report."""

from collections.abc import Mapping
from types import MappingProxyType

from components.shared.metrics import (
    attacks,
    behaviour,
    bias,
    opinions,
    pairs,
    probes,
    refusals,
    scores,
    task,
)
from components.shared.metrics.definition import Definition

CATALOGUE: Mapping[str, Definition] = MappingProxyType(
    {
        definition.name: definition
        for family in (scores, refusals, attacks, opinions, bias, pairs, behaviour, task, probes)
        for definition in family.DEFINITIONS
    }
)
"""Definitions by name, or by name pattern where a {place} is filled in; in the order in which they are measured."""


def definition_of(name: str) -> Definition | None:
    """The definition of a metric that was measured, or None where there is none."""
    return CATALOGUE.get(name) or next((own for own in CATALOGUE.values() if own.covers(name)), None)
