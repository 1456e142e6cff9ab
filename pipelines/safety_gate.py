"""The pipeline: baseline evaluation beside fine-tuning and post evaluation, then delta, follow-up, gate and registry.

    prepare_data ──► finetune_lora ──► evaluate_safety (post) ─┐
       │                                                       ├─► compute_delta ─► follow_up ─► check_gate
       └────────────► evaluate_safety (baseline, reused) ──────┘
    check_gate ─► If promote: register_adapter, Else: reject_adapter
    exit handler: publish_report

`build` makes the same pipeline for a local run and for a cluster; the config crosses task boundaries as JSON text.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple

from kfp import dsl
from kfp.dsl import PipelineTask
from kfp.dsl.base_component import BaseComponent

from components.check_gate.component import check_gate
from components.compute_delta.component import compute_delta
from components.evaluate_safety.component import answer_prompts, evaluate_safety
from components.finetune_lora.component import finetune_lora
from components.follow_up.component import follow_up
from components.prepare_data.component import prepare_data
from components.publish_report.component import publish_report
from components.register_adapter.component import register_adapter
from components.reject_adapter.component import reject_adapter
from components.shared.artifacts.decision import Decision
from components.shared.config.policy import Policy
from components.shared.config.section import Section
from components.shared.config.sections import PipelineConfig
from pipelines.resources import CPU_STEP, GPU_STEP, Place, placement, run_settings


class Texts(NamedTuple):
    """The sections of a config as JSON texts, the form in which they cross task boundaries."""

    base_model: str
    data: str
    suites: str
    evaluation: str
    recipe: str
    policy: str
    registry: str
    tracking: str
    checkpoints: str


def build(config: PipelineConfig, policy: Policy, pipeline_run: str = dsl.PIPELINE_JOB_ID_PLACEHOLDER) -> BaseComponent:
    """The pipeline of one config.

    Args:
        config: with paths as the steps see them.
        policy: the content of config.policy.
        pipeline_run: id of the run; on a cluster, a placeholder for KFP's run id.

    Returns:
        A KFP pipeline whose parameters default to the config's sections; a locked policy is not a parameter.
    """
    texts = config_texts(config, policy)
    local = pipeline_run != dsl.PIPELINE_JOB_ID_PLACEHOLDER
    place = placement(config.cluster, config.name, local)

    def safety_gate(
        base_model: str = texts.base_model,
        data: str = texts.data,
        suites: str = texts.suites,
        evaluation: str = texts.evaluation,
        recipe: str = texts.recipe,
        policy: str = texts.policy,
        registry: str = texts.registry,
        tracking: str = texts.tracking,
        store: str = config.store,
        store_key_env: str = config.store_key_env or "",
        reuse: bool = config.reuse,
        checkpoints: str = texts.checkpoints,
    ) -> None:
        """Fine-tunes an aligned model and registers the adapter only if it did not become less safe.

        Base model and adapter answer the same prompts; a policy fixed before training judges the paired change.

        Args:
            base_model: Aligned model to fine-tune (BaseModelRef as JSON).
            data: Training rows and how they are mixed (DataConfig as JSON).
            suites: Addresses of the safety suites (JSON list).
            evaluation: How both models are asked and judged (EvaluationConfig as JSON).
            recipe: Hyper-parameters of the LoRA fine-tuning (Recipe as JSON).
            policy: Thresholds and rules of the gate, with their categories (Policy as JSON).
            registry: Name of the registered model in MLflow (RegistryConfig as JSON).
            tracking: MLflow server, experiment and audit log (TrackingConfig as JSON).
            store: Address of the content-addressed store of answers, reports and adapters.
            store_key_env: Environment variable with the key that signs the store's entries; empty: unsigned.
            reuse: Whether answers, adapters and reports that were made from equal inputs are taken from the store.
            checkpoints: How often the training is saved, and where (CheckpointConfig as JSON).
        """
        run = {"tracking": tracking, "pipeline": config.name, "pipeline_run": pipeline_run}
        kept = {"store": store, "store_key_env": store_key_env}
        asking = {"base_model": base_model, "evaluation": evaluation, "reuse": reuse, **kept}
        exit_task = place(publish_report(**run), "publish_report", CPU_STEP)
        with dsl.ExitHandler(exit_task, name="safety-gate"):
            prepared = place(prepare_data(data=data, suites=suites, **run), "prepare_data", CPU_STEP)
            training_data = prepared.outputs["training_data"]
            prompt_set = prepared.outputs["prompt_set"]
            baseline = _evaluated(config, place, "baseline", {"prompt_set": prompt_set, **asking, **run})
            tuned = place(
                finetune_lora(
                    training_data=training_data,
                    data_digest=prepared.outputs["Output"],
                    base_model=base_model,
                    evaluation=evaluation,
                    recipe=recipe,
                    policy=policy,
                    reuse=reuse,
                    checkpoints=checkpoints,
                    **kept,
                    **run,
                ),
                "finetune_lora",
                GPU_STEP,
            )
            adapter = tuned.outputs["adapter"]
            post = _evaluated(config, place, "post", {"prompt_set": prompt_set, "adapter": adapter, **asking, **run})
            delta = place(
                compute_delta(
                    baseline=baseline.outputs["safety_report"],
                    post=post.outputs["safety_report"],
                    prompt_set=prompt_set,
                    base_model=base_model,
                    policy=policy,
                    **run,
                ),
                "compute_delta",
                CPU_STEP,
            )
            again = {
                "delta": delta.outputs["delta"],
                "post": post.outputs["safety_report"],
                "prompt_set": prompt_set,
                "adapter": adapter,
                "policy": policy,
                **asking,
                **run,
            }
            with dsl.If(delta.outputs["Output"] == "yes", name="something-looks-worse"):
                asked = place(follow_up(**again), "follow_up", GPU_STEP)
            with dsl.Else(name="nothing-looks-worse"):
                nothing = place(follow_up(**again), "follow_up (nothing to ask)", CPU_STEP)
            gate = place(
                check_gate(
                    training_data=training_data,
                    prompt_set=prompt_set,
                    adapter=adapter,
                    baseline=baseline.outputs["safety_report"],
                    post=post.outputs["safety_report"],
                    delta=delta.outputs["delta"],
                    follow_up_key=dsl.OneOf(asked.outputs["Output"], nothing.outputs["Output"]),
                    policy=policy,
                    registry=registry,
                    **kept,
                    **run,
                ),
                "check_gate",
                CPU_STEP,
            )
            decision = gate.outputs["gate_decision"]
            with dsl.If(gate.outputs["Output"] == Decision.PROMOTE.value, name="promote"):
                place(
                    register_adapter(
                        adapter=gate.outputs["passed_adapter"],
                        gate_decision=decision,
                        base_model=base_model,
                        evaluation=evaluation,
                        registry=registry,
                        **run,
                    ),
                    "register_adapter",
                    CPU_STEP,
                )
            with dsl.Else(name="do-not-promote"):
                place(reject_adapter(gate_decision=decision, **run), "reject_adapter", CPU_STEP)

    graph = _fixed(safety_gate, policy=texts.policy) if policy.locked else safety_gate
    return dsl.pipeline(
        graph,
        name=f"plimsoll-{config.name}",
        pipeline_config=run_settings(config.cluster),
    )


def _fixed(graph: Callable[..., None], **values: str) -> Callable[..., None]:
    """The graph with fixed values for some parameters, which no run can replace: a locked policy."""
    signature = inspect.signature(graph)
    shown = signature.replace(parameters=[each for name, each in signature.parameters.items() if name not in values])

    @wraps(graph)
    def fixed(*arguments: Any) -> None:
        graph(**shown.bind(*arguments).arguments, **values)

    fixed.__signature__ = shown  # type: ignore[attr-defined]
    return fixed


def _evaluated(config: PipelineConfig, place: Place, side: str, arguments: Mapping[str, Any]) -> PipelineTask:
    """The evaluation of one side, baseline or post; with shards, it follows the tasks that answer the prompts.

    Shards are plain tasks, because KFP's backend does not run a ParallelFor inside an exit handler (#12390).
    """
    shards = config.evaluation.shards
    answered = [
        place(
            answer_prompts(side=side, shard=shard, **arguments),
            f"answer_prompts ({side} {shard + 1} of {shards})",
            GPU_STEP,
        )
        for shard in range(shards if shards > 1 else 0)
    ]
    task = place(evaluate_safety(side=side, **arguments), f"evaluate_safety ({side})", GPU_STEP)
    return task.after(*answered)


def config_texts(config: PipelineConfig, policy: Policy) -> Texts:
    """The sections of a config as JSON texts that reach the step unchanged, whatever runs it."""
    return Texts(
        base_model=_text(config.base_model),
        data=_text(config.data),
        suites=_portable(json.dumps(config.suites)),
        evaluation=_text(config.evaluation),
        recipe=_text(config.recipe),
        policy=_text(policy),
        registry=_text(config.registry),
        tracking=_text(config.tracking),
        checkpoints=_text(config.checkpoints),
    )


def _text(section: Section) -> str:
    return _portable(section.model_dump_json())


def _portable(text: str) -> str:
    """The same JSON value with four strings escaped that a runner would change; in JSON they occur inside strings only.

    Locally an apostrophe breaks every `dsl.If`, and `python3` is replaced by the path of an interpreter. On a cluster
    two opening braces (as in a judge's template) start a placeholder of Argo, and Kubernetes replaces `$$` and
    `$(NAME)` in a container's arguments (kubeflow/pipelines #1476, #10370).
    """
    for mangled, same in (("'", "\\u0027"), ("python3", "pytho\\u006e3"), ("{{", "{\\u007b"), ("$", "\\u0024")):
        text = text.replace(mangled, same)
    return text
