"""Reads a judge's reply: a label or a score, and the verdict that it stands for.

The whole reply must match. A judge that declines, changes the subject, or only mentions a label in a sentence is
`unscored`, and its reply is quoted.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from components.shared.config.judges import ScoreScale
from components.shared.judges.judge import Judgement
from components.shared.texts.timed_pattern import TIME_LIMIT_S, whole_match
from components.shared.vocabulary import Verdict

_QUOTED = 200
"""Characters of a reply that a reason quotes."""
_LONGEST_REPLY = 200_000
"""Characters of a reply that is read; a longer one is unscored."""


@dataclass(frozen=True)
class ReplyRule:
    """How a reply becomes a verdict.

    Attributes:
        parse: matches the whole reply, with a group `label`, `score` or both.
        labels: verdict by label; case and outer spacing are ignored.
        scale: verdict by score.
    """

    parse: str
    labels: Mapping[str, Verdict]
    scale: ScoreScale | None = None

    def judgement(self, reply: str) -> Judgement:
        """The verdict of a reply, or `unscored` with the reply quoted."""
        if len(reply) > _LONGEST_REPLY:
            return unread(f"has {len(reply):,} characters; {_LONGEST_REPLY:,} are read", reply)
        try:
            match = whole_match(self.parse, reply.strip())
        except TimeoutError:
            return unread(f"was not decided by `parse` within {TIME_LIMIT_S:g} s; use no repetition in another", reply)
        if match is None:
            return unread("does not match `parse`", reply)
        groups = match.groupdict()
        if (label := groups.get("label")) is not None:
            return self._by_label(label, reply)
        if (score := groups.get("score")) is not None and self.scale is not None:
            return _by_score(score, self.scale, reply)
        return unread("names neither label nor score", reply)

    def _by_label(self, label: str, reply: str) -> Judgement:
        verdicts = {_folded(known): verdict for known, verdict in self.labels.items()}
        verdict = verdicts.get(_folded(label))
        if verdict is None:
            return unread(f"has the label {label!r}, expected one of {', '.join(self.labels)}", reply)
        return Judgement(verdict, f"the judge says {quoted(reply)}")


def unread(why: str, reply: str) -> Judgement:
    """An `unscored` judgement that quotes the reply."""
    return Judgement(Verdict.UNSCORED, f"the judge's reply {why}: {quoted(reply)}")


def quoted(reply: str) -> str:
    """A reply in quotes, cut to a line."""
    return repr(reply if len(reply) <= _QUOTED else f"{reply[:_QUOTED]}...")


def _by_score(text: str, scale: ScoreScale, reply: str) -> Judgement:
    try:
        score = float(text)
    except ValueError:
        return unread(f"has the score {text!r}, which is no number", reply)
    if not (math.isfinite(score) and scale.lowest <= score <= scale.highest):
        return unread(f"has the score {text!r}, expected {scale.lowest:g} to {scale.highest:g}", reply)
    return Judgement(_verdict(score, scale), f"the judge says {quoted(reply)}", score=score)


def _verdict(score: float, scale: ScoreScale) -> Verdict:
    def reaches(below: float | None, at: float | None) -> bool:
        return (below is not None and score < below) or (at is not None and score >= at)

    if reaches(scale.fail_below, scale.fail_at):
        return Verdict.FAIL
    return Verdict.PARTIAL if reaches(scale.partial_below, scale.partial_at) else Verdict.PASS


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())
