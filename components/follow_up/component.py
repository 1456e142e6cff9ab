"""The KFP interface of follow_up."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Model, Output

from components.images import GPU_IMAGE


@dsl.component(base_image=GPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def follow_up(
    delta: Input[Artifact],
    post: Input[Artifact],
    prompt_set: Input[Artifact],
    adapter: Input[Model],
    follow_up_report: Output[Artifact],
    base_model: str,
    evaluation: str,
    policy: str,
    store: str,
    store_key_env: str,
    reuse: bool,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
) -> str:
    """Asks the prompts that look worse again, on both sides, and variants of prompts in flagged categories.

    Args:
        delta: Delta report written by compute_delta; it names the prompts to ask again.
        post: Safety report of the adapter.
        prompt_set: Prompt set written by prepare_data.
        adapter: Adapter written by finetune_lora.
        follow_up_report: Follow-up report, with the fresh answers and the answers to variants.
        base_model: Base model (BaseModelRef), as JSON.
        evaluation: How models are asked and judged (EvaluationConfig), as JSON.
        policy: Policy, as JSON.
        store: Address of the content-addressed store: a directory or s3://bucket/prefix.
        store_key_env: Environment variable with the key that signs the store's entries; empty: unsigned.
        reuse: Whether a finished follow-up is taken from the store.
        tracking: Where MLflow and the audit log are (TrackingConfig), as JSON.
        pipeline: Name of the pipeline.
        pipeline_run: Id of this pipeline run.

    Returns:
        Key of the follow-up in the store.
    """
    from pathlib import Path

    from components.follow_up.step import follow_up as step
    from components.shared.config.base_model import BaseModelRef
    from components.shared.config.evaluation import EvaluationConfig
    from components.shared.config.policy import Policy
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig
    from components.shared.store import Store

    return step(
        delta_dir=Path(delta.path),
        post_dir=Path(post.path),
        prompts_dir=Path(prompt_set.path),
        adapter_dir=Path(adapter.path),
        base_model=BaseModelRef.model_validate_json(base_model),
        evaluation=EvaluationConfig.model_validate_json(evaluation),
        policy=Policy.model_validate_json(policy),
        store=Store(store, store_key_env),
        reuse=reuse,
        follow_up_dir=Path(follow_up_report.path),
        context=RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    )
