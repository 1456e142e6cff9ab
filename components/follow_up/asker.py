"""Asks base and adapter the same questions, and has the answers judged as in the evaluation."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.asking.asking import ask, request, sampling_of
from components.shared.asking.fluency import with_fluency
from components.shared.config.evaluation import EvaluationConfig
from components.shared.generation.engine import (
    NO_OPENING,
    Completion,
    Continuation,
    OnDone,
    Opening,
    Request,
    Sampling,
)
from components.shared.generation.transformers_engine import TransformersEngine
from components.shared.judges.panel import Panel
from components.shared.progress import Say

_SEED_SHIFT = 1_000_003
"""Added to the contract's seed: fresh answers must not repeat the answers that made a prompt look worse."""

_GREEDY_FOLLOW_UP_TEMPERATURE = 0.7
"""Used if the contract is greedy: greedy fresh answers would all be equal."""


class Question(NamedTuple):
    """A prompt as the model and as the judges see it.

    Attributes:
        asked: the prompt for the model, with the number of answers to draw.
        judged: the prompt for the judges, without the frame.
        opening: forced beginning of the answers; judges read only what follows it.
    """

    asked: SuitePrompt
    judged: SuitePrompt
    opening: Opening = NO_OPENING


class BothSides(NamedTuple):
    """Judged answers of base and adapter to the same questions."""

    before: list[AnswerRow]
    after: list[AnswerRow]


class Asker(NamedTuple):
    """Asks both sides and has the answers judged.

    Attributes:
        engine: the model with the adapter, which can be switched off.
        panel: the judges of the evaluation.
        evaluation: how the model is asked.
        floor: the evaluation's coherence floor, nats per token; None if only rules are used.
    """

    engine: TransformersEngine
    panel: Panel
    evaluation: EvaluationConfig
    floor: float | None

    def fits(self, question: Question) -> bool:
        """Whether a question and its answer fit the model's context, with room for the coherence judge.

        That judge scores the answer's words in other orders, which may take more tokens than the answer.
        """
        asked = request(question.asked, 1, self.evaluation.system_prompt)._replace(opening=question.opening)
        spare = 2 if self.evaluation.coherence == "log_probability" else 1
        return self.engine.fits(asked, spare * self.evaluation.max_new_tokens)

    def both_sides(self, questions: Sequence[Question], say: Say) -> BothSides:
        """Answers of base and adapter, drawn with the same seed, which is not the evaluation's.

        Raises:
            ModelError: a question does not fit the model's context.
        """
        return BothSides(self._rows(questions, base=True, say=say), self._rows(questions, base=False, say=say))

    def _rows(self, questions: Sequence[Question], base: bool, say: Say) -> list[AnswerRow]:
        asked = [question.asked for question in questions]
        engine = _Opened(self.engine, {question.asked.id: question.opening for question in questions})
        sampling, system_prompt = self._sampling(), self.evaluation.system_prompt
        with self.engine.base_only() if base else nullcontext():
            answers = ask(engine, asked, self.evaluation.samples_per_prompt, sampling, system_prompt, say)
        if self.evaluation.coherence == "log_probability":
            answers = with_fluency(self.engine, asked, answers, system_prompt, self.floor)
        return self.panel.judge({question.asked.id: question.judged for question in questions}, answers)

    def _sampling(self) -> Sampling:
        sampling = sampling_of(self.evaluation)
        temperature = sampling.temperature or _GREEDY_FOLLOW_UP_TEMPERATURE
        return sampling._replace(temperature=temperature, seed=sampling.seed + _SEED_SHIFT)


class _Opened(NamedTuple):
    """An engine that forces the opening of each request, by the request's key."""

    engine: TransformersEngine
    openings: dict[str, Opening]

    @property
    def description(self) -> str:
        return self.engine.description

    def generate(self, requests: Sequence[Request], sampling: Sampling, on_done: OnDone) -> list[list[Completion]]:
        opened = [each._replace(opening=self.openings[each.key]) for each in requests]
        return self.engine.generate(opened, sampling, on_done)

    def log_probs(self, continuations: Sequence[Continuation], cut: bool = False) -> list[list[float]]:
        return self.engine.log_probs(continuations, cut)
