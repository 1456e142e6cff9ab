"""The definitions of all metrics, by name."""

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
"""In the order in which they are measured. Some names have a {place} that each metric fills in."""
