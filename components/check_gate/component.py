"""The KFP interface of check_gate."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output

from components.images import CPU_IMAGE


@dsl.component(base_image=CPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def check_gate(
    training_data: Input[Dataset],
    prompt_set: Input[Artifact],
    adapter: Input[Model],
    baseline: Input[Artifact],
    post: Input[Artifact],
    delta: Input[Artifact],
    gate_decision: Output[Artifact],
    passed_adapter: Output[Model],
    follow_up_key: str,
    store: str,
    store_key_env: str,
    policy: str,
    registry: str,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
) -> str:
    """Applies the policy to the evidence: a decision with a reason per category.

    Args:
        training_data: Training data written by prepare_data.
        prompt_set: Prompt set written by prepare_data.
        adapter: Adapter written by finetune_lora.
        baseline: Safety report of the base model.
        post: Safety report of the adapter.
        delta: Delta report written by compute_delta.
        gate_decision: Gate decision, with a reason per category.
        passed_adapter: The adapter's files if the decision is promote; otherwise a note.
        follow_up_key: Key of the follow-up in the store.
        store: Address of the content-addressed store: a directory or s3://bucket/prefix.
        store_key_env: Environment variable with the key that signs the store's entries; empty: unsigned.
        policy: Policy, as JSON.
        registry: Registered model that the adapter may enter, as JSON of RegistryConfig.
        tracking: Where MLflow and the audit log are (TrackingConfig), as JSON.
        pipeline: Name of the pipeline.
        pipeline_run: Id of this pipeline run.

    Returns:
        promote, reject, needs_review, insufficient_evidence or invalid.
    """
    from pathlib import Path

    from components.check_gate.step import check_gate as step
    from components.shared.config.policy import Policy
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import RegistryConfig, TrackingConfig
    from components.shared.store import Store

    decision = step(
        data_dir=Path(training_data.path),
        prompts_dir=Path(prompt_set.path),
        adapter_dir=Path(adapter.path),
        baseline_dir=Path(baseline.path),
        post_dir=Path(post.path),
        delta_dir=Path(delta.path),
        follow_up_key=follow_up_key,
        store=Store(store, store_key_env),
        policy=Policy.model_validate_json(policy),
        registry=RegistryConfig.model_validate_json(registry),
        decision_dir=Path(gate_decision.path),
        passed_dir=Path(passed_adapter.path),
        context=RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    )
    return decision.decision.value
