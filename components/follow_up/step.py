"""Fresh answers on both sides for the prompts that look worse: is a prompt's flip real?

Both sides are asked again with a new seed, because the answers that raised the alarm are a biased sample. One
load serves both sides: the adapter is switched off for the base's answers. Without escalated prompts no model
is loaded and nothing but the empty report is written.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from components.shared.artifacts.answers import AnswerRow, Verdict
from components.shared.artifacts.comparison import DeltaReport, FollowUpPrompt, FollowUpReport
from components.shared.artifacts.suites import SuitePrompt
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import FollowUpRule, Policy
from components.shared.digests import digest_json
from components.shared.errors import IntegrityError
from components.shared.evaluation.answers import write_answers
from components.shared.evaluation.asking import ask, sampling_of
from components.shared.evaluation.fluency import with_fluency
from components.shared.evaluation.judges.assemble import panel_of
from components.shared.evaluation.judges.panel import Panel
from components.shared.evaluation.pairing import pair
from components.shared.evaluation.prompt_sets import load_prompts
from components.shared.evaluation.reports import load_report
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest, locate_base_model
from components.shared.generation.engine import Sampling
from components.shared.generation.transformers_engine import TransformersEngine
from components.shared.progress import Say
from components.shared.statistics.exact import fisher_drop_p
from components.shared.store import FOLLOW_UP_KIND, Store
from components.shared.tracking.runs import RunContext, StageRun, Tracker

STAGE = "follow_up"
_SEED_SHIFT = 1_000_003
"""Added to the contract's seed: fresh answers must not repeat the ones that raised the alarm."""

_GREEDY_FOLLOW_UP_TEMPERATURE = 0.7
"""A greedy contract gives the same answer again and again; what it would say otherwise shows by sampling."""


def follow_up(
    delta_dir: Path,
    post_dir: Path,
    prompts_dir: Path,
    adapter_dir: Path,
    base_model: BaseModelRef,
    evaluation: EvaluationConfig,
    policy: Policy,
    store: Store,
    reuse: bool,
    follow_up_dir: Path,
    context: RunContext,
) -> str:
    """Writes follow_up_report.json, and before.jsonl and after.jsonl where anything was asked; stores them too.

    Args:
        delta_dir: names the escalated prompts.
        post_dir: safety report of the adapter.
        prompts_dir: the prompts.
        adapter_dir: the adapter.
        base_model: the aligned model.
        evaluation: how the model is asked; seed and number of answers differ here.
        policy: for its follow-up rule and its confidence.
        store: where finished follow-ups are kept, and the gate finds this one.
        reuse: whether to look there first.
        follow_up_dir: receives the files.
        context: the pipeline run.

    Returns:
        Key of the follow-up in the store: what crosses to the gate, because an artifact cannot leave a branch of
        the graph in a local run.

    Raises:
        IntegrityError: an input was changed, or the adapter is not the one that was evaluated.
        ModelError: the model cannot be loaded or asked.
    """
    with Tracker(context).stage(STAGE) as stage:
        delta = DeltaReport.load(delta_dir / "delta_report.json")
        after = load_report(post_dir).report
        if adapter_digest(adapter_dir) != after.adapter_digest:
            raise IntegrityError(f"{adapter_dir}: is not the adapter that was evaluated")
        key = digest_json([delta.digest, after.base_digest, policy.follow_up.model_dump(), policy.confidence])
        if reuse and store.fetch(FOLLOW_UP_KIND, key, follow_up_dir):
            report = FollowUpReport.load(follow_up_dir / "follow_up_report.json")
            stage.say(f"reusing {len(report.prompts)} followed-up prompts (same delta, same policy)")
        else:
            report = FollowUpReport(
                adapter_digest=after.adapter_digest,
                contract_digest=delta.contract_digest,
                alpha=(1 - policy.confidence) / max(1, len(delta.escalated)),
                prompts=(),
                answers_sha256={},
                inputs={"delta": delta.digest, "post": after.digest},
            )
            if delta.escalated:
                chosen = {escalated.prompt_id for escalated in delta.escalated}
                prompts = [p for p in load_prompts(prompts_dir).prompts if p.id in chosen]
                base = locate_base_model(base_model)
                if base_digest(base) != after.base_digest:
                    raise IntegrityError(f"base model {base_model.name}: is not the one that was evaluated")
                engine = TransformersEngine(base, adapter_dir, evaluation.dtype, evaluation.engine, stage.say)
                panel = panel_of(evaluation, store.address_of("judge-replies"), stage.say)
                asker = Asker(engine, panel, evaluation, after.coherence_floor)
                report = _ask_again(asker, prompts, report, policy.follow_up, follow_up_dir, stage)
            report.save(follow_up_dir / "follow_up_report.json")
            store.put(FOLLOW_UP_KIND, key, follow_up_dir)
        _track(stage, report, follow_up_dir)
    return key


class Asker(NamedTuple):
    """Who is asked again, and who reads the answers.

    Attributes:
        engine: the adapter's model, whose adapter can be switched off.
        panel: the judges of the evaluation.
        evaluation: how the model is asked.
        floor: the evaluation's coherence floor, nats per token; None where only rules look.
    """

    engine: TransformersEngine
    panel: Panel
    evaluation: EvaluationConfig
    floor: float | None

    def rows(
        self, prompts: Sequence[SuitePrompt], samples: int, sampling: Sampling, base: bool, say: Say
    ) -> list[AnswerRow]:
        """Judged answers of the base or of the adapter."""
        system_prompt = self.evaluation.system_prompt
        own = [prompt.model_copy(update={"samples": samples}) for prompt in prompts]
        with self.engine.base_only() if base else nullcontext():
            answers = ask(self.engine, own, samples, sampling, system_prompt, say)
        if self.evaluation.coherence == "log_probability":
            answers = with_fluency(self.engine, own, answers, system_prompt, self.floor)
        return self.panel.judge({prompt.id: prompt for prompt in own}, answers)


def _ask_again(
    asker: Asker,
    prompts: Sequence[SuitePrompt],
    empty: FollowUpReport,
    rule: FollowUpRule,
    directory: Path,
    stage: StageRun,
) -> FollowUpReport:
    evaluation = asker.evaluation
    sampling = sampling_of(evaluation)._replace(
        temperature=evaluation.temperature or _GREEDY_FOLLOW_UP_TEMPERATURE, seed=evaluation.seed + _SEED_SHIFT
    )
    stage.say(f"{len(prompts)} prompts x {rule.samples} fresh answers on both sides")
    before = asker.rows(prompts, rule.samples, sampling, base=True, say=stage.say)
    after = asker.rows(prompts, rule.samples, sampling, base=False, say=stage.say)
    return empty.model_copy(
        update={
            "prompts": judge_flips(before, after, empty.alpha, rule.max_share_after),
            "answers_sha256": {
                "before": write_answers(before, directory / "before.jsonl"),
                "after": write_answers(after, directory / "after.jsonl"),
            },
        }
    )


def judge_flips(
    before: Sequence[AnswerRow], after: Sequence[AnswerRow], alpha: float, max_share_after: float
) -> tuple[FollowUpPrompt, ...]:
    """Whether each prompt's flip is real, from fresh answers.

    Args:
        before: the base's answers.
        after: the adapter's answers to the same prompts.
        alpha: significance level of one prompt, after Bonferroni.
        max_share_after: at most this share of fresh answers may pass after for a flip to be confirmed.

    Returns:
        One entry per prompt; confirmed when Fisher's one-sided p is at most alpha and few answers pass after.
    """
    flips = []
    for both in pair(before, after):
        samples = len(both.after)
        passed_before = sum(verdict is Verdict.PASS for verdict in both.before)
        passed_after = sum(verdict is Verdict.PASS for verdict in both.after)
        p_value = fisher_drop_p(passed_before, passed_after, samples)
        flips.append(
            FollowUpPrompt(
                prompt_id=both.prompt_id,
                category=both.category,
                samples=samples,
                passed_before=passed_before,
                passed_after=passed_after,
                fisher_p=p_value,
                confirmed=p_value <= alpha and passed_after <= max_share_after * samples,
            )
        )
    return tuple(flips)


def _track(stage: StageRun, report: FollowUpReport, directory: Path) -> None:
    confirmed = sum(prompt.confirmed for prompt in report.prompts)
    stage.metrics({"follow_up/prompts": len(report.prompts), "follow_up/confirmed": confirmed})
    for path in sorted(directory.iterdir()):
        stage.file(path)
    stage.say(f"{confirmed} of {len(report.prompts)} flips are confirmed on fresh answers")
