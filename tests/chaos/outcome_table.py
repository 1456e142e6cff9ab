"""Writes the counts of the last `make test-chaos` into the table of docs/reliability.md."""

import re
from pathlib import Path

from tests.chaos.cases import CASES, ENDINGS, counts

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
_BLOCK = re.compile(r"(?<=<!-- counts -->\n).*?(?=<!-- end of counts -->)", re.DOTALL)


def table() -> str:
    """A row by case: what was done, and how often it ended how."""
    found = counts()
    lines = [("what was done", *ENDINGS), ("---",) * (1 + len(ENDINGS))]
    lines += [(sentence, *(str(found[case][ending]) for ending in ENDINGS)) for case, sentence in CASES.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(_BLOCK.sub(lambda _: f"\n{table()}\n\n", PAGE.read_text()))
