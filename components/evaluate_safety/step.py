"""Answers and verdicts of one model under one contract; the same code before and after fine-tuning.

Each suite is answered on its own, and its answers are kept in the content-addressed store under the digest of
weights and contract: an unchanged baseline is reused suite by suite, and base and adapter can never share an
entry. The model is loaded only when some suite is not in the store.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pydantic import Field

from components.shared.artifacts.artifact import Artifact
from components.shared.artifacts.evaluation import AnswerRow, Contract, SafetyReport, SuitePrompt
from components.shared.artifacts.training import AdapterManifest, PromptSet, SuiteEntry
from components.shared.config.policy import TASK_CATEGORY
from components.shared.config.sections import BaseModelRef, EvaluationConfig
from components.shared.digests import digest_json, short
from components.shared.errors import IntegrityError
from components.shared.evaluation.answers import read_answers, write_answers
from components.shared.evaluation.asking import ask, sampling_of
from components.shared.evaluation.figures import category_figures
from components.shared.evaluation.judges.judge import panel_versions
from components.shared.evaluation.judges.panel import default_panel
from components.shared.evaluation.prompt_sets import load_prompts
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import (
    base_digest,
    locate_base_model,
    tokenizer_digest,
)
from components.shared.generation.transformers_engine import TransformersEngine, engine_facts
from components.shared.progress import Say
from components.shared.store import ANSWERS_KIND, Store
from components.shared.tracking.runs import RunContext, StageRun, Tracker


class SuiteAnswers(Artifact):
    """The stored answers of one model to one suite; the rows are `answers.jsonl` beside it."""

    answers_sha256: str
    adapter_effect: float | None = Field(description="See SafetyReport.")


class _Model(NamedTuple):
    directory: Path
    adapter: Path | None
    base_digest: str
    adapter_digest: str | None


def evaluate_safety(
    side: str,
    base_model: BaseModelRef,
    adapter: Path | None,
    prompts_dir: Path,
    evaluation: EvaluationConfig,
    store: Store,
    reuse: bool,
    report_dir: Path,
    context: RunContext,
) -> SafetyReport:
    """Writes `answers.jsonl` and its SafetyReport.

    Args:
        side: `baseline` or `post`: names the stage.
        base_model: the aligned model.
        adapter: directory of the adapter that finetune_lora wrote, or None for the base alone.
        prompts_dir: what prepare_data wrote.
        evaluation: how the model is asked.
        store: where finished answers are kept.
        reuse: whether to look there first.
        report_dir: receives answers.jsonl and safety_report.json.
        context: the pipeline run.

    Raises:
        ModelError: the model cannot be loaded or asked.
        IntegrityError: adapter, prompts or stored answers were changed.
    """
    with Tracker(context).stage(f"evaluate_safety_{side}") as stage:
        loaded = load_prompts(prompts_dir)
        model = _identify(base_model, adapter)
        contract = build_contract(loaded.prompt_set, evaluation, model.directory)
        engine = _lazy_engine(model, contract.dtype, stage.say)
        rows: list[AnswerRow] = []
        effect: float | None = None
        for entry in loaded.prompt_set.suites:
            own = contract.model_copy(update={"suites": {entry.name: entry.sha256}})
            key = digest_json([model.base_digest, model.adapter_digest, own.digest])
            answered = _reused(entry, key, store, stage.say) if reuse else None
            if answered is None:
                prompts = loaded.of_suite(entry.name)
                answered = _answer(entry, key, prompts, evaluation, engine(), store, stage.say)
            rows += answered.rows
            effect = answered.effect
        answers_sha256 = write_answers(rows, report_dir / "answers.jsonl")
        report = SafetyReport(
            base_name=base_model.name,
            base_digest=model.base_digest,
            adapter_digest=model.adapter_digest,
            adapter_effect=effect,
            contract=contract,
            categories=category_figures(rows),
            answers_sha256=answers_sha256,
            inputs={"prompt_set": loaded.prompt_set.digest},
        )
        report.save(report_dir / "safety_report.json")
        _track(stage, report, report_dir)
    return report


def build_contract(prompts: PromptSet, evaluation: EvaluationConfig, base: Path) -> Contract:
    """Everything that must be equal before and after."""
    facts = engine_facts(evaluation.dtype)
    return Contract(
        suites={suite.name: suite.sha256 for suite in prompts.suites},
        tokenizer=tokenizer_digest(base),
        system_prompt=evaluation.system_prompt,
        samples_per_prompt=evaluation.samples_per_prompt,
        max_new_tokens=evaluation.max_new_tokens,
        temperature=evaluation.temperature,
        top_p=evaluation.top_p,
        seed=evaluation.seed,
        batch_tokens=evaluation.batch_tokens,
        dtype=facts.dtype,
        engine=facts.text,
        judges=panel_versions(default_panel()),
    )


def _identify(base_model: BaseModelRef, adapter: Path | None) -> _Model:
    directory = locate_base_model(base_model)
    base = base_digest(directory)
    if adapter is None:
        return _Model(directory, None, base, None)
    manifest = AdapterManifest.load(adapter / "manifest.json")
    if manifest.base_digest != base:
        raise IntegrityError(
            f"{adapter}: was trained on base {short(manifest.base_digest)}, but {base_model.name} is {short(base)}"
        )
    return _Model(directory, adapter, base, adapter_digest(adapter))


def _lazy_engine(model: _Model, dtype: str, say: Say) -> Callable[[], TransformersEngine]:
    loaded: list[TransformersEngine] = []

    def engine() -> TransformersEngine:
        if not loaded:
            say("loading the model" + (" and its adapter" if model.adapter else ""))
            loaded.append(TransformersEngine(model.directory, model.adapter, dtype))
        return loaded[0]

    return engine


class _Answered(NamedTuple):
    rows: tuple[AnswerRow, ...]
    effect: float | None


def _answer(
    entry: SuiteEntry,
    key: str,
    prompts: Sequence[SuitePrompt],
    evaluation: EvaluationConfig,
    engine: TransformersEngine,
    store: Store,
    say: Say,
) -> _Answered:
    sampling = sampling_of(evaluation)
    say(f"suite {entry.name}: {len(prompts)} prompts x {sampling.samples} answers")
    effect = engine.adapter_effect()
    panel = default_panel()
    rows = tuple(ask(engine, prompts, sampling, evaluation.system_prompt, panel, say))
    with TemporaryDirectory() as directory:
        sha256 = write_answers(rows, Path(directory) / "answers.jsonl")
        kept = SuiteAnswers(answers_sha256=sha256, adapter_effect=effect, inputs={"key": key})
        kept.save(Path(directory) / "suite_answers.json")
        store.put(ANSWERS_KIND, key, Path(directory))
    return _Answered(rows, effect)


def _reused(entry: SuiteEntry, key: str, store: Store, say: Say) -> _Answered | None:
    with TemporaryDirectory() as directory:
        if not store.fetch(ANSWERS_KIND, key, Path(directory)):
            return None
        kept = SuiteAnswers.load(Path(directory) / "suite_answers.json")
        if kept.inputs != {"key": key}:
            raise IntegrityError(f"stored answers {short(key)} were made for {kept.inputs}; remove them")
        rows = read_answers(Path(directory) / "answers.jsonl", kept.answers_sha256)
    say(f"suite {entry.name}: reusing {len(rows):,} answers (same weights, same contract)")
    return _Answered(rows, kept.adapter_effect)


def _track(stage: StageRun, report: SafetyReport, report_dir: Path) -> None:
    stage.params(
        {
            "base_model": report.base_name,
            "base_digest": report.base_digest,
            "adapter_digest": report.adapter_digest,
            "contract_digest": report.contract.digest,
        }
    )
    for category, figures in report.categories.items():
        group = "task" if category == TASK_CATEGORY else f"safety/{category}"
        stage.metrics(
            {
                f"{group}/pass_rate": figures.pass_pct / 100,
                f"{group}/partial_rate": figures.partial_pct / 100,
                f"{group}/fail_rate": figures.fail_pct / 100,
                f"{group}/incoherent_rate": figures.incoherent_pct / 100,
                f"{group}/unscored_rate": figures.unscored_pct / 100,
            }
        )
    if report.adapter_effect is not None:
        stage.metrics({"adapter/logit_effect": report.adapter_effect})
    for name in ("safety_report.json", "answers.jsonl"):
        stage.file(report_dir / name)
    shares = ", ".join(f"{name} {figures.pass_pct:.0f} %" for name, figures in report.categories.items())
    stage.say(f"pass rates: {shares}")
