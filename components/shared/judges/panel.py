"""Which judge reads which prompt: one verdict per answer, and second opinions beside it.

The coherence judge reads first: its `incoherent` outranks the other verdicts, because an answer that is not language
neither refuses nor complies. It does not read answers to prompts that may ask for odd text (constraints, a reference,
a choice).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from components.shared.artifacts.answers import Answer, AnswerRow, Opinion
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.asking.fluency import VERSION as FLUENCY_VERSION
from components.shared.judges.abstain import ABSTAIN
from components.shared.judges.caveat import CAVEAT
from components.shared.judges.choice import CHOICE
from components.shared.judges.coherence import COHERENCE
from components.shared.judges.constraints.constraint_judge import CONSTRAINTS
from components.shared.judges.exact_match import EXACT_MATCH
from components.shared.judges.judge import Exchange, Judge, Judgement, label
from components.shared.judges.likelihood import LIKELIHOOD
from components.shared.judges.numeric import NUMERIC
from components.shared.judges.refusal import ANSWERED, REFUSAL
from components.shared.judges.similar import SIMILAR
from components.shared.judges.tone import TONE
from components.shared.judges.word_overlap import ROUGE_L, TOKEN_F1
from components.shared.vocabulary import GRADED, MUST_BE_LANGUAGE, Expectation, Verdict

_COHERENT = Judgement(Verdict.PASS, "reads as language")
_NO_ORDER = Judgement(Verdict.INCOHERENT, "to the base model, its words are no likelier than the same words shuffled")

_NO_FINAL_TEXT = Judgement(
    Verdict.UNSCORED, "its thought was not finished, so there is no final text: raise evaluation.max_new_tokens"
)
LONGEST_ANSWER = 200_000
"""Characters of an answer that judges read; a longer one is unscored, so that no answer takes minutes to judge."""
_LONGEST_REASON = 2_000
"""Characters of a reason or span that are kept; a reason may quote the answer."""


class SecondJudge(NamedTuple):
    """A judge that gives an opinion beside the verdict, for these expectations."""

    judge: Judge
    expectations: frozenset[Expectation]


@dataclass(frozen=True)
class Panel:
    """The judges of one evaluation.

    Attributes:
        coherence: reads every answer that must be language; only its `incoherent` counts.
        verdicts: the judge whose verdict stands, by expectation.
        second: judges whose opinions are kept beside the verdict.
        fluency: whether an answer that is no likelier than its words shuffled is incoherent as well.
    """

    coherence: Judge
    verdicts: Mapping[Expectation, Judge]
    second: Sequence[SecondJudge] = field(default=())
    fluency: bool = True

    @property
    def versions(self) -> dict[str, str]:
        """name@version of every judge, by what it reads: part of the contract."""
        return {
            "coherence": self._coherence_label,
            **{expectation.value: label(judge) for expectation, judge in self.verdicts.items()},
            **{f"second:{second.judge.name}": label(second.judge) for second in self.second},
        }

    @property
    def readable(self) -> frozenset[Expectation]:
        """Expectations that some judge reads."""
        return frozenset({*self.verdicts, Expectation.COHERENT})

    @property
    def _coherence_label(self) -> str:
        return f"{label(self.coherence)}+fluency@{FLUENCY_VERSION}" if self.fluency else label(self.coherence)

    def judge(self, prompts: Mapping[str, SuitePrompt], answers: Sequence[Answer]) -> list[AnswerRow]:
        """One judged row per answer, in the same order.

        Args:
            prompts: by id.
            answers: each to one of the prompts.
        """
        exchanges = [Exchange(prompts[a.prompt_id], a.answer, a.reference_log_prob) for a in answers]
        unread = [_why_unread(answer) for answer in answers]
        read = [place for place, why in enumerate(unread) if why is None]
        judged = self._verdicts([exchanges[p] for p in read], [answers[p].shuffles_beaten for p in read])
        verdicts = [("none", why or _NO_FINAL_TEXT) for why in unread]
        for place, verdict in zip(read, judged, strict=True):
            verdicts[place] = verdict
        opinions = self._opinions(exchanges, read)
        return [
            AnswerRow(
                **answer.model_dump(),
                verdict=judgement.verdict,
                judge=judge,
                reason=_cut(judgement.reason),
                span=judgement.span[:_LONGEST_REASON],
                score=judgement.score if exchanges[place].prompt.expectation in GRADED else None,
                opinions=tuple(opinions[place]),
            )
            for place, (answer, (judge, judgement)) in enumerate(zip(answers, verdicts, strict=True))
        ]

    def _verdicts(
        self, exchanges: Sequence[Exchange], shuffles_beaten: Sequence[float | None]
    ) -> list[tuple[str, Judgement]]:
        verdicts: dict[int, tuple[str, Judgement]] = {}
        readable = [
            place for place, exchange in enumerate(exchanges) if exchange.prompt.expectation in MUST_BE_LANGUAGE
        ]
        for place, ruled in zip(readable, self.coherence.judge([exchanges[p] for p in readable]), strict=True):
            beaten = shuffles_beaten[place]
            judgement = _NO_ORDER if self.fluency and beaten is not None and beaten < 0.5 else ruled
            coherent = judgement.verdict is not Verdict.INCOHERENT
            if not coherent or exchanges[place].prompt.expectation is Expectation.COHERENT:
                verdicts[place] = self._coherence_label, _COHERENT if coherent else judgement
        waiting: defaultdict[Expectation, list[int]] = defaultdict(list)
        for place, exchange in enumerate(exchanges):
            if place not in verdicts:
                waiting[exchange.prompt.expectation].append(place)
        for expectation, places in waiting.items():
            judge = self.verdicts.get(expectation)
            if judge is None:
                missing = Judgement(Verdict.UNSCORED, f"no judge for expectation {expectation.value!r}")
                verdicts.update(dict.fromkeys(places, ("none", missing)))
                continue
            judgements = judge.judge([exchanges[place] for place in places])
            verdicts.update(zip(places, ((label(judge), judgement) for judgement in judgements), strict=True))
        return [verdicts[place] for place in range(len(exchanges))]

    def _opinions(self, exchanges: Sequence[Exchange], read: Sequence[int]) -> defaultdict[int, list[Opinion]]:
        opinions: defaultdict[int, list[Opinion]] = defaultdict(list)
        for judge, expectations in self.second:
            places = [place for place in read if exchanges[place].prompt.expectation in expectations]
            judgements = judge.judge([exchanges[place] for place in places])
            for place, (verdict, reason, _, score) in zip(places, judgements, strict=True):
                opinions[place].append(Opinion(judge=label(judge), verdict=verdict, score=score, reason=_cut(reason)))
        return opinions


def _why_unread(answer: Answer) -> Judgement | None:
    """Why no judge reads an answer; None if judges do."""
    if answer.unfinished_thought:
        return _NO_FINAL_TEXT
    if (length := len(answer.answer)) > LONGEST_ANSWER:
        why = f"has {length:,} characters, and judges read {LONGEST_ANSWER:,}: lower evaluation.max_new_tokens"
        return Judgement(Verdict.UNSCORED, why)
    return None


def _cut(reason: str) -> str:
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"


def rule_panel() -> Panel:
    """The judges that need no model: pure rules."""
    return Panel(
        coherence=COHERENCE,
        verdicts={
            Expectation.REFUSE: REFUSAL,
            Expectation.CAVEAT: CAVEAT,
            Expectation.ANSWER: ANSWERED,
            Expectation.EXACT: EXACT_MATCH,
            Expectation.SIMILAR: SIMILAR,
            Expectation.ABSTAIN: ABSTAIN,
            Expectation.POLITE: TONE,
            Expectation.CONSTRAINTS: CONSTRAINTS,
            Expectation.CHOICE: CHOICE,
            Expectation.NUMERIC: NUMERIC,
            Expectation.TOKEN_F1: TOKEN_F1,
            Expectation.ROUGE_L: ROUGE_L,
            Expectation.LIKELIHOOD: LIKELIHOOD,
        },
    )
