"""Draws the answers to one prompt of a run again, on both sides, and compares them with the stored ones.

Every answer is seeded by the contract, its prompt and its number, so the prompt is asked alone first. Where that gives
another text, its whole chunk is asked as in the evaluation: in another batch the last digits of a probability may
differ.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from components.shared.artifacts.answers import Answer, AnswerRow
from components.shared.artifacts.reports import load_report
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.asking.asking import ask, sampling_of
from components.shared.asking.fluency import with_fluency
from components.shared.config.evaluation import EvaluationConfig
from components.shared.errors import ConfigError
from components.shared.generation.transformers_engine import TransformersEngine
from components.shared.judges.assemble import panel_of
from components.shared.progress import Say
from components.shared.store import Store
from components.shared.suites.chunks import cut
from components.shared.suites.prompt_sets import load_prompts
from pipelines.evidence.opening import OpenEvidence
from pipelines.evidence.replay_inputs import check_contract, find_adapter, find_base, find_prompt

_SIDES = ("baseline", "post")


class ReplayedSide(NamedTuple):
    """One side's answers to the prompt, stored and drawn again, in sample order.

    Attributes:
        name: base or adapter.
        stored: from the evaluation.
        drawn: the new answers, judged again.
        way: how the new answers were asked: alone, or with the other prompts of their chunk.
    """

    name: str
    stored: tuple[AnswerRow, ...]
    drawn: tuple[AnswerRow, ...]
    way: str

    @property
    def identical(self) -> bool:
        """Whether every answer has the same text, length and end; verdicts are not compared."""
        return _texts(self.stored) == _texts(self.drawn)

    @property
    def same_verdicts(self) -> bool:
        """Whether the judges gave the same verdicts again."""
        return [row.verdict for row in self.stored] == [row.verdict for row in self.drawn]


class Replayed(NamedTuple):
    """The replay of one prompt."""

    prompt: SuitePrompt
    sides: tuple[ReplayedSide, ...]
    warnings: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether both sides gave the stored answers again."""
        return all(side.identical for side in self.sides)


def replay(evidence: OpenEvidence, prompt_id: str, sample: int | None, adapter: Path | None, say: Say) -> Replayed:
    """Asks base and adapter a prompt of the evidence again.

    Args:
        evidence: of the run; its config names base model and evaluation.
        prompt_id: which prompt.
        sample: compares only this one of its answers; None: all.
        adapter: directory of the adapter; None: from the evidence, the store or the registered version.
        say: where progress goes.

    Raises:
        ConfigError: there is no config, it does not fit the run, or there is no such prompt or sample.
        IntegrityError: base model or adapter is not the one that was evaluated, or the evidence was changed.
        ModelError: the model cannot be loaded or asked.
    """
    folder, config = evidence.folder, evidence.config
    if config is None:
        raise ConfigError("a directory does not say which base model answered: give the run's config with --config")
    loaded, reports = load_prompts(folder), [load_report(folder / side) for side in _SIDES]
    prompt = find_prompt(loaded, prompt_id, sample, reports[0].report.contract.samples_per_prompt)
    post = reports[1].report
    base = find_base(config, post)
    files = find_adapter(evidence, config, post, adapter)
    warnings = check_contract(config.evaluation, base, post)
    say("loading the model and its adapter")
    engine = TransformersEngine.of(base, files, config.evaluation, say)
    store = Store(config.store, config.store_key_env)
    panel = panel_of(config.evaluation, store.address_of("judge-replies"), say, store.signing_key)
    drawer = _Drawer(engine, config.evaluation, loaded.prompts, post.coherence_floor)
    sides = []
    for name, report in zip(("base", "adapter"), reports, strict=True):
        stored = tuple(row for row in report.rows if row.prompt_id == prompt_id and sample in (None, row.sample))
        drawn, way = drawer.draw(prompt, stored, base=name == "base", say=say)
        rows = panel.judge({prompt.id: prompt}, drawn)
        sides.append(ReplayedSide(name, stored, tuple(rows), way))
    if panel.versions != post.contract.judges:
        warnings.append("the judges are not those of the run: verdicts may differ where answers do not")
    return Replayed(prompt, tuple(sides), tuple(warnings))


class _Drawer(NamedTuple):
    """Asks one prompt again, alone or with its chunk."""

    engine: TransformersEngine
    evaluation: EvaluationConfig
    prompts: Sequence[SuitePrompt]
    floor: float | None

    def draw(self, prompt: SuitePrompt, stored: Sequence[AnswerRow], base: bool, say: Say) -> tuple[list[Answer], str]:
        """The answers with the stored numbers, and how they were asked."""
        alone = self._ask([prompt], prompt, stored, base, say)
        if _texts(alone) == _texts(stored):
            return self._scored(prompt, alone), "asked alone"
        evaluation = self.evaluation
        chunks = cut(self.prompts, evaluation.samples_per_prompt, evaluation.chunk_answers)
        chunk = next(chunk.prompts for chunk in chunks if prompt in chunk.prompts)
        say(f"alone it answers differently; asking its whole chunk of {len(chunk)} prompts, as in the evaluation")
        together = self._ask(chunk, prompt, stored, base, say)
        return self._scored(prompt, together), f"asked with the {len(chunk)} prompts of its chunk"

    def _ask(
        self, prompts: Sequence[SuitePrompt], wanted: SuitePrompt, stored: Sequence[AnswerRow], base: bool, say: Say
    ) -> list[Answer]:
        evaluation, numbers = self.evaluation, {row.sample for row in stored}
        with self.engine.base_only() if base else nullcontext():
            answers = ask(
                self.engine,
                prompts,
                evaluation.samples_per_prompt,
                sampling_of(evaluation),
                evaluation.system_prompt,
                say,
            )
        return [answer for answer in answers if answer.prompt_id == wanted.id and answer.sample in numbers]

    def _scored(self, prompt: SuitePrompt, answers: list[Answer]) -> list[Answer]:
        if self.evaluation.coherence == "rules":
            return answers
        return with_fluency(self.engine, [prompt], answers, self.evaluation.system_prompt, self.floor)


def _texts(answers: Sequence[Answer]) -> list[tuple[int, str, int, bool]]:
    return [(answer.sample, answer.answer, answer.tokens, answer.complete) for answer in answers]
