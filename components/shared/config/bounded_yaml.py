"""A YAML loader that refuses files which their aliases make huge: ten lines may stand for billions of values."""

from typing import Any, NoReturn

import yaml

MOST_REPEATED = 100_000
"""Values that the aliases of a file may repeat, counted with all that is in them."""
DEEPEST = 100
"""Sections and lists inside each other."""


class BoundedLoader(yaml.SafeLoader):
    """SafeLoader that raises a MarkedYAMLError, with the line, where aliases or nesting go beyond the bounds."""

    def __init__(self, stream: str | bytes) -> None:
        super().__init__(stream)
        self._sizes: dict[int, tuple[int, int]] = {}
        """Values in a node that is complete, itself included, and levels below it; by the node's id()."""
        self._repeated = 0
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The node, or the one that an alias stands for."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        self._depth += 1
        if self._depth > DEEPEST:
            self._refuse(f"sections and lists are nested more than {DEEPEST} deep", event)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is None:
            return None
        if isinstance(event, yaml.AliasEvent):
            self._count(node, event)
        else:
            self._sizes[id(node)] = _measured(node, self._sizes)
        return node

    def _count(self, node: yaml.Node, event: yaml.AliasEvent) -> None:
        if id(node) not in self._sizes:
            self._refuse(f"*{event.anchor} stands inside the section that it repeats", event)
        size, levels = self._sizes[id(node)]
        self._repeated += size
        if self._repeated > MOST_REPEATED:
            most = f"{MOST_REPEATED:,} values"
            self._refuse(f"the aliases up to *{event.anchor} repeat more than {most}; write fewer aliases", event)
        if self._depth + levels > DEEPEST:
            self._refuse(f"*{event.anchor} makes sections and lists nested more than {DEEPEST} deep", event)

    @staticmethod
    def _refuse(problem: str, event: Any) -> NoReturn:
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _measured(node: yaml.Node, sizes: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """The number of values in a node, and its levels."""
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        parts = node.value
    else:
        return 1, 1
    known = [sizes[id(part)] for part in parts]
    return 1 + sum(size for size, _ in known), 1 + max((levels for _, levels in known), default=0)
