"""The KFP interface of evaluate_safety, and of answer_prompts, which answers its prompts in shards."""

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
    store_key_env: str,
    reuse: bool,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
    adapter: Input[Model] = None,
) -> str:
    """Asks the base model or the adapter every prompt several times, and judges the answers.

    Args:
        prompt_set: Prompt set written by prepare_data.
        safety_report: Answers with their verdicts (answers.jsonl), and the report on them (safety_report.json).
        side: `baseline` for the base model, `post` for the adapter.
        base_model: The aligned model: a BaseModelRef as JSON.
        evaluation: How the model is asked and judged: an EvaluationConfig as JSON.
        store: Address of the content-addressed store of finished answers.
        store_key_env: Environment variable with the key that signs the store's entries; empty: unsigned.
        reuse: Whether answers of earlier runs are taken from the store.
        tracking: Addresses of the MLflow store and the audit log: a TrackingConfig as JSON.
        pipeline: Name of the pipeline.
        pipeline_run: Id of this pipeline run.
        adapter: LoRA adapter written by finetune_lora; left out for the base model.

    Returns:
        Sha256 digest of the safety report.
    """
    from pathlib import Path

    from components.evaluate_safety.step import evaluate_safety as step
    from components.shared.config.base_model import BaseModelRef
    from components.shared.config.evaluation import EvaluationConfig
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig
    from components.shared.store import Store

    return step(
        side=side,
        base_model=BaseModelRef.model_validate_json(base_model),
        adapter=Path(adapter.path) if adapter is not None else None,
        prompts_dir=Path(prompt_set.path),
        evaluation=EvaluationConfig.model_validate_json(evaluation),
        store=Store(store, store_key_env),
        reuse=reuse,
        report_dir=Path(safety_report.path),
        context=RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    ).digest


@dsl.component(base_image=GPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def answer_prompts(
    prompt_set: Input[Artifact],
    side: str,
    shard: int,
    base_model: str,
    evaluation: str,
    store: str,
    store_key_env: str,
    reuse: bool,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
    adapter: Input[Model] = None,
) -> int:
    """Answers one shard of the prompts and keeps the answers in the store for evaluate_safety.

    Args:
        prompt_set: Prompt set written by prepare_data.
        side: `baseline` for the base model, `post` for the adapter.
        shard: Number of this shard, from 0.
        base_model: The aligned model: a BaseModelRef as JSON.
        evaluation: How the model is asked, and the number of shards: an EvaluationConfig as JSON.
        store: Address of the content-addressed store of finished answers.
        store_key_env: Environment variable with the key that signs the store's entries; empty: unsigned.
        reuse: Whether answers of earlier runs are taken from the store.
        tracking: Addresses of the MLflow store and the audit log: a TrackingConfig as JSON.
        pipeline: Name of the pipeline.
        pipeline_run: Id of this pipeline run.
        adapter: LoRA adapter written by finetune_lora; left out for the base model.

    Returns:
        Number of chunks that were not in the store and had to be asked.
    """
    from pathlib import Path

    from components.evaluate_safety.step import answer_prompts as step
    from components.shared.config.base_model import BaseModelRef
    from components.shared.config.evaluation import EvaluationConfig
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig
    from components.shared.store import Store

    return step(
        side=side,
        shard=shard,
        base_model=BaseModelRef.model_validate_json(base_model),
        adapter=Path(adapter.path) if adapter is not None else None,
        prompts_dir=Path(prompt_set.path),
        evaluation=EvaluationConfig.model_validate_json(evaluation),
        store=Store(store, store_key_env),
        reuse=reuse,
        context=RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    )
