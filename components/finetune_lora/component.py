"""The KFP interface of finetune_lora."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output

from components.images import GPU_IMAGE


@dsl.component(base_image=GPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def finetune_lora(
    training_data: Input[Dataset],
    adapter: Output[Model],
    data_digest: str,
    base_model: str,
    evaluation: str,
    recipe: str,
    policy: str,
    store: str,
    store_key_env: str,
    reuse: bool,
    checkpoints: str,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
) -> str:
    """Fine-tunes the base model with LoRA, on the assistant's tokens only.

    Args:
        training_data: Training rows written by prepare_data.
        adapter: LoRA adapter (safetensors and its config), with a manifest of what it was made from.
        data_digest: Sha256 digest of the training rows; a scheduled run retrains when it changes.
        base_model: The aligned model to fine-tune: a BaseModelRef as JSON.
        evaluation: How the model will be asked: an EvaluationConfig as JSON; training uses the same system prompt,
            thinking and date.
        recipe: Training hyper-parameters: a Recipe as JSON.
        policy: The gate's policy as JSON; its digest is recorded before training starts.
        store: Address of the content-addressed store of finished adapters.
        store_key_env: Environment variable with the key that signs the store's entries; empty: unsigned.
        reuse: Whether an adapter made from equal inputs is taken from the store.
        checkpoints: How often an unfinished training is saved, and where: a CheckpointConfig as JSON.
        tracking: Addresses of the MLflow store and the audit log: a TrackingConfig as JSON.
        pipeline: Name of the pipeline.
        pipeline_run: Id of this pipeline run.

    Returns:
        Sha256 digest of the adapter's files.
    """
    from pathlib import Path

    from components.finetune_lora.step import finetune_lora as step
    from components.shared.config.base_model import BaseModelRef
    from components.shared.config.evaluation import EvaluationConfig
    from components.shared.config.policy import Policy
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import CheckpointConfig, Recipe, TrackingConfig
    from components.shared.store import Store

    return step(
        data_dir=Path(training_data.path),
        data_digest=data_digest,
        base_model=BaseModelRef.model_validate_json(base_model),
        evaluation=EvaluationConfig.model_validate_json(evaluation),
        recipe=Recipe.model_validate_json(recipe),
        policy=Policy.model_validate_json(policy),
        store=Store(store, store_key_env),
        reuse=reuse,
        checkpoints=CheckpointConfig.model_validate_json(checkpoints),
        adapter_dir=Path(adapter.path),
        context=RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    ).adapter_digest
