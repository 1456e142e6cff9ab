"""The KFP interface of compute_delta."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Output

from components.images import CPU_IMAGE


@dsl.component(base_image=CPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def compute_delta(
    baseline: Input[Artifact],
    post: Input[Artifact],
    prompt_set: Input[Artifact],
    delta: Output[Artifact],
    base_model: str,
    policy: str,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
) -> str:
    """Compares both safety reports prompt by prompt: the drop of every category, with bounds.

    Args:
        baseline: Safety report of the base model.
        post: Safety report of the adapter.
        prompt_set: Prompt set written by prepare_data, which both models were asked.
        delta: Delta report: the drop of every category with its bounds, and the prompts that look worse.
        base_model: Base model (BaseModelRef), as JSON; may name the report of an original model to compare with.
        policy: Policy, as JSON.
        tracking: Where MLflow and the audit log are (TrackingConfig), as JSON.
        pipeline: Name of the pipeline.
        pipeline_run: Id of this pipeline run.

    Returns:
        `yes` if follow_up has prompts to ask again, `no` if not.
    """
    from pathlib import Path

    from components.compute_delta.step import compute_delta as step
    from components.compute_delta.step import has_follow_up
    from components.shared.config.base_model import BaseModelRef
    from components.shared.config.policy import Policy
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig

    rules = Policy.model_validate_json(policy)
    report = step(
        baseline_dir=Path(baseline.path),
        post_dir=Path(post.path),
        prompts_dir=Path(prompt_set.path),
        base_model=BaseModelRef.model_validate_json(base_model),
        policy=rules,
        delta_dir=Path(delta.path),
        context=RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    )
    return "yes" if has_follow_up(report, rules) else "no"
