"""Answers and verdicts of one model under one contract; the same code before and after fine-tuning.

Answers come from the content-addressed store or from the model, which is loaded only if something is not stored. Every
answer is judged again in every run, so a new judge does not need the model.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

from components.evaluate_safety.answering import answer_all, answer_shard, lazily
from components.evaluate_safety.readings import Readings, coherence_floor, take_readings
from components.evaluate_safety.second_pass import chunks_again, noise_between
from components.evaluate_safety.subject import identify
from components.shared.artifacts.answer_rows import write_answers
from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.judge_check import QuotedCheck, known_checks
from components.shared.artifacts.safety_report import Metric, SafetyReport
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.asking.asking import refuse_equal_answers
from components.shared.audit import AuditEntry, record
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.run_context import RunContext
from components.shared.gate.figures import category_figures
from components.shared.judges.assemble import panel_of, refuse_unjudged
from components.shared.metrics.measure import measure
from components.shared.metrics.opinions import score_directions
from components.shared.metrics.probes import probe_metrics
from components.shared.store import Store
from components.shared.suites.chunks import cut
from components.shared.suites.prompt_sets import load_prompts
from components.shared.tracking.runs import Tracker
from components.shared.tracking.stage_run import StageRun
from components.shared.vocabulary import TASK_CATEGORY


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
        side: `baseline` or `post`; names the stage.
        base_model: the aligned model.
        adapter: directory of the adapter that finetune_lora wrote, or None for the base model.
        prompts_dir: directory of the prompt set that prepare_data wrote.
        evaluation: how the model is asked and judged.
        store: keeps finished answers.
        reuse: whether answers of other runs may be taken from the store.
        report_dir: receives answers.jsonl and safety_report.json.
        context: the pipeline run.

    Raises:
        ConfigError: a prompt has no judge, or a judge cannot be made.
        ModelError: the model cannot be loaded or asked.
        IntegrityError: adapter, prompts or stored answers were changed.
    """
    with Tracker(context).stage(f"evaluate_safety_{side}") as stage:
        loaded = load_prompts(prompts_dir)
        prompts = loaded.prompts
        subject = identify(base_model, adapter, loaded.prompt_set, evaluation, "" if reuse else context.pipeline_run)
        panel = panel_of(evaluation, store.address_of("judge-replies"), stage.say, store.signing_key)
        refuse_unjudged(panel, prompts)
        refuse_equal_answers(evaluation, prompts)
        engine = lazily(subject, stage.say)
        chunks = cut(prompts, evaluation.samples_per_prompt, evaluation.chunk_answers)
        again = chunks_again(subject, prompts)
        answers = answer_all(subject, prompts, [*chunks, *again], store, engine, stage.say)
        first, second = (list(chain(*rows)) for rows in (answers[: len(chunks)], answers[len(chunks) :]))
        readings = take_readings(subject, prompts, store, engine, stage.say)
        rows = panel.judge({prompt.id: prompt for prompt in prompts}, first)
        report = SafetyReport(
            base_name=base_model.name,
            base_digest=subject.base_digest,
            adapter_digest=subject.adapter_digest,
            adapter_effect=readings.adapter_effect,
            coherence_floor=coherence_floor(subject, prompts, store, engine, stage.say),
            contract=subject.contract.model_copy(update={"judges": panel.versions}),
            categories=category_figures(rows),
            metrics=_metrics(prompts, rows, readings, evaluation),
            noise=noise_between(subject, prompts, rows, second, panel),
            judge_checks=_quoted_checks(panel.versions.values(), Path(evaluation.judge_checks)),
            answers_sha256=write_answers(rows, report_dir / "answers.jsonl"),
            inputs={"prompt_set": loaded.prompt_set.digest},
        )
        report.save(report_dir / "safety_report.json")
        _say_unfinished(stage, rows, evaluation.max_new_tokens)
        _track(stage, report, report_dir)
        stage.tags(_audit(context, side, report).tags)
    return report


def answer_prompts(
    side: str,
    shard: int,
    base_model: BaseModelRef,
    adapter: Path | None,
    prompts_dir: Path,
    evaluation: EvaluationConfig,
    store: Store,
    reuse: bool,
    context: RunContext,
) -> int:
    """Answers one shard of the prompts and keeps the answers in the store for `evaluate_safety`.

    Args:
        side: `baseline` or `post`; names the stage.
        shard: number of the shard, from 0 to evaluation.shards - 1.
        base_model: see `evaluate_safety`.
        adapter: see `evaluate_safety`.
        prompts_dir: see `evaluate_safety`.
        evaluation: see `evaluate_safety`.
        store: receives the answers.
        reuse: see `evaluate_safety`.
        context: the pipeline run.

    Returns:
        The number of chunks that were asked; the others were in the store.

    Raises:
        ModelError: the model cannot be loaded or asked.
        IntegrityError: adapter or prompts were changed.
    """
    with Tracker(context).stage(f"answer_prompts_{side}_{shard}") as stage:
        loaded = load_prompts(prompts_dir)
        subject = identify(base_model, adapter, loaded.prompt_set, evaluation, "" if reuse else context.pipeline_run)
        refuse_equal_answers(evaluation, loaded.prompts)
        chunks = [
            *cut(loaded.prompts, evaluation.samples_per_prompt, evaluation.chunk_answers),
            *chunks_again(subject, loaded.prompts),
        ]
        asked = answer_shard(subject, chunks, shard, store, lazily(subject, stage.say), stage.say)
        stage.metrics({"chunks/asked": asked, "chunks/all": len(chunks)})
        stage.say(f"shard {shard + 1} of {evaluation.shards}: asked {asked} chunks")
    return asked


def _metrics(
    prompts: Sequence[SuitePrompt], rows: Sequence[AnswerRow], readings: Readings, evaluation: EvaluationConfig
) -> tuple[Metric, ...]:
    measured = measure(prompts, rows, score_directions(evaluation.judges))
    return (*measured, *probe_metrics(readings.refusal_nll, readings.first_tokens_kl, readings.task_nll))


def _quoted_checks(judges: Iterable[str], directory: Path) -> tuple[QuotedCheck, ...]:
    """The stored checks of the judges that read these answers."""
    quoted = [
        QuotedCheck.of(check)
        for label in dict.fromkeys(judges)
        for check in known_checks(directory, *label.partition("+")[0].split("@", 1))
    ]
    return tuple(quoted)


def _say_unfinished(stage: StageRun, rows: Sequence[AnswerRow], limit: int) -> None:
    """Says how many answers were cut inside a thought, and what to change."""
    share = sum(row.unfinished_thought for row in rows) / len(rows)
    stage.metrics({"answers/unfinished_thought_rate": share})
    if share:
        stage.say(
            f"{100 * share:.1f} % of the answers ended inside a thought, before their final text, and are unscored: "
            f"raise evaluation.max_new_tokens ({limit})"
        )


def _audit(context: RunContext, side: str, report: SafetyReport) -> AuditEntry:
    facts = {
        "side": side,
        "report_digest": report.digest,
        "contract_digest": report.contract.digest,
        "base_digest": report.base_digest,
        "adapter_digest": report.adapter_digest or "none",
        "answers_sha256": report.answers_sha256,
    }
    answers = sum(figures.answers for figures in report.categories.values())
    return record(context, "evaluated", f"{answers} answers were judged under one contract.", facts)


def _track(stage: StageRun, report: SafetyReport, report_dir: Path) -> None:
    stage.params(
        {
            "base_model": report.base_name,
            "base_digest": report.base_digest,
            "adapter_digest": report.adapter_digest,
            "contract_digest": report.contract.digest,
        }
    )
    stage.metrics(_tracked(report))
    for name in ("safety_report.json", "answers.jsonl"):
        stage.file(report_dir / name)
    shares = ", ".join(f"{name} {figures.pass_pct:.0f} %" for name, figures in report.categories.items())
    stage.say(f"pass rates: {shares}")
    if report.noise:
        reaches = ", ".join(f"{name} {noise.reach_pp:.1f} pp" for name, noise in report.noise.items())
        stage.say(f"noise (95 %): drops of an unchanged model stay within {reaches}")


def _tracked(report: SafetyReport) -> Mapping[str, float]:
    """MLflow metrics by name: shares from 0 to 1 per category, then all other metrics in their units."""
    tracked: dict[str, float] = {}
    for category, figures in report.categories.items():
        group = "task" if category == TASK_CATEGORY else f"safety/{category}"
        tracked |= {
            f"{group}/pass_rate": figures.pass_pct / 100,
            f"{group}/partial_rate": figures.partial_pct / 100,
            f"{group}/fail_rate": figures.fail_pct / 100,
            f"{group}/incoherent_rate": figures.incoherent_pct / 100,
            f"{group}/unscored_rate": figures.unscored_pct / 100,
        }
    if report.adapter_effect is not None:
        tracked["adapter/logit_effect"] = report.adapter_effect
    for category, noise in report.noise.items():
        tracked |= {
            f"noise/{category}/drop_pp": noise.drop_pp,
            f"noise/{category}/reach_pp": noise.reach_pp,
            f"noise/{category}/flips": noise.flips,
        }
    tracked |= {f"metric/{metric.category}/{metric.name}": metric.value for metric in report.metrics}
    return tracked
