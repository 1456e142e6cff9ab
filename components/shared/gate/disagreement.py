"""How often judges that read the same answers say otherwise. Pure functions of rows."""

from collections import defaultdict
from collections.abc import Iterable

from components.shared.artifacts.answers import AnswerRow
from components.shared.vocabulary import Verdict

_READ = frozenset({Verdict.PASS, Verdict.PARTIAL, Verdict.FAIL})


def disagreement_pct(rows: Iterable[AnswerRow]) -> dict[str, float]:
    """Share of answers by category about which some second judge disagrees, percent.

    Judges disagree about an answer when one says `pass` and the other does not. Only answers count that the verdict
    and at least one opinion could read; a category without any is left out, which is not the same as agreement.
    """
    read: defaultdict[str, int] = defaultdict(int)
    split: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        opinions = [opinion.verdict for opinion in row.opinions if opinion.verdict in _READ]
        if row.verdict not in _READ or not opinions:
            continue
        read[row.category] += 1
        passes = row.verdict is Verdict.PASS
        split[row.category] += any((verdict is Verdict.PASS) != passes for verdict in opinions)
    return {category: 100 * split[category] / count for category, count in read.items()}
