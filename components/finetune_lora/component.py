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
    recipe: str,
    policy: str,
    store: str,
    reuse: bool,
    checkpoints: str,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
) -> str:
    """Trains a LoRA adapter on the assistant's tokens.

    Args:
        training_data: what prepare_data wrote.
        adapter: adapter_model.safetensors, adapter_config.json and the AdapterManifest.
        data_digest: digest of the training rows; it decides whether a scheduled run retrains.
        base_model: BaseModelRef as JSON.
        recipe: Recipe as JSON.
        policy: Policy as JSON; its digest is fixed here, before training.
        store: address of the content-addressed store.
        reuse: whether an adapter made from equal inputs is taken from the store.
        checkpoints: CheckpointConfig as JSON.
        tracking: TrackingConfig as JSON.
        pipeline: name of the pipeline.
        pipeline_run: id of this run.

    Returns:
        Digest of the adapter.
    """
    from pathlib import Path

    from components.finetune_lora.step import finetune_lora as step
    from components.shared.config.base_model import BaseModelRef
    from components.shared.config.policy import Policy
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import CheckpointConfig, Recipe, TrackingConfig
    from components.shared.store import Store

    return step(
        Path(training_data.path),
        data_digest,
        BaseModelRef.model_validate_json(base_model),
        Recipe.model_validate_json(recipe),
        Policy.model_validate_json(policy),
        Store(store),
        reuse,
        CheckpointConfig.model_validate_json(checkpoints),
        Path(adapter.path),
        RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    ).adapter_digest
