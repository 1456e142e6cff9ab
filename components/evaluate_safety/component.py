"""The KFP interface of evaluate_safety, and of the tasks that answer shards of its prompts before it."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Model, Output

from components.images import GPU_IMAGE


@dsl.component(base_image=GPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def evaluate_safety(
    prompt_set: Input[Artifact],
    safety_report: Output[Artifact],
    side: str,
    base_model: str,
    evaluation: str,
    store: str,
    reuse: bool,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
    adapter: Input[Model] = None,
) -> str:
    """Asks a model every prompt k times and judges the answers.

    Args:
        prompt_set: what prepare_data wrote.
        safety_report: answers.jsonl and its SafetyReport.
        side: baseline or post.
        base_model: BaseModelRef as JSON.
        evaluation: EvaluationConfig as JSON.
        store: address of the content-addressed store.
        reuse: whether finished answers are taken from the store.
        tracking: TrackingConfig as JSON.
        pipeline: name of the pipeline.
        pipeline_run: id of this run.
        adapter: the tuned adapter; none for the baseline.

    Returns:
        Digest of the safety report.
    """
    from pathlib import Path

    from components.evaluate_safety.step import evaluate_safety as step
    from components.shared.config.base_model import BaseModelRef
    from components.shared.config.evaluation import EvaluationConfig
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig
    from components.shared.store import Store

    return step(
        side,
        BaseModelRef.model_validate_json(base_model),
        Path(adapter.path) if adapter is not None else None,
        Path(prompt_set.path),
        EvaluationConfig.model_validate_json(evaluation),
        Store(store),
        reuse,
        Path(safety_report.path),
        RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    ).digest


@dsl.component(base_image=GPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def answer_prompts(
    prompt_set: Input[Artifact],
    side: str,
    shard: int,
    base_model: str,
    evaluation: str,
    store: str,
    reuse: bool,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
    adapter: Input[Model] = None,
) -> int:
    """Answers one shard of the prompts into the store, where evaluate_safety then finds them.

    Args:
        prompt_set: what prepare_data wrote.
        side: baseline or post.
        shard: which one, from 0.
        base_model: BaseModelRef as JSON.
        evaluation: EvaluationConfig as JSON; names the number of shards.
        store: address of the content-addressed store.
        reuse: whether finished answers are taken from the store.
        tracking: TrackingConfig as JSON.
        pipeline: name of the pipeline.
        pipeline_run: id of this run.
        adapter: the tuned adapter; none for the baseline.

    Returns:
        Number of chunks that were asked.
    """
    from pathlib import Path

    from components.evaluate_safety.step import answer_prompts as step
    from components.shared.config.base_model import BaseModelRef
    from components.shared.config.evaluation import EvaluationConfig
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig
    from components.shared.store import Store

    return step(
        side,
        shard,
        BaseModelRef.model_validate_json(base_model),
        Path(adapter.path) if adapter is not None else None,
        Path(prompt_set.path),
        EvaluationConfig.model_validate_json(evaluation),
        Store(store),
        reuse,
        RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    )
