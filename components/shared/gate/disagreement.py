"""How often two judges disagree about an answer that both could read. Pure functions of rows."""

from collections import defaultdict
from collections.abc import Iterable

from components.shared.artifacts.answers import AnswerRow
from components.shared.vocabulary import Verdict

_READ = frozenset({Verdict.PASS, Verdict.PARTIAL, Verdict.FAIL})


def is_disputed(row: AnswerRow) -> bool | None:
    """Whether one judge says `pass` about an answer and another does not; None if fewer than two could read it."""
    if row.verdict not in _READ:
        return None
    opinions = [opinion.verdict for opinion in row.opinions if opinion.verdict in _READ]
    passes = row.verdict is Verdict.PASS
    return any((verdict is Verdict.PASS) != passes for verdict in opinions) if opinions else None


def disagreement_pct(rows: Iterable[AnswerRow]) -> dict[str, float]:
    """Percent of answers about which two judges disagree, by category.

    Of the answers that at least two judges could read. A category without any is left out: that is not agreement.
    """
    read: defaultdict[str, int] = defaultdict(int)
    split: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        disputed = is_disputed(row)
        if disputed is not None:
            read[row.category] += 1
            split[row.category] += disputed
    return {category: 100 * split[category] / count for category, count in read.items()}
