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
    """Pairs both reports prompt by prompt and bounds the drop of every category.

    Args:
        baseline: safety report of the base.
        post: safety report of the adapter.
        prompt_set: what both were asked.
        delta: the DeltaReport.
        base_model: BaseModelRef as JSON.
        policy: Policy as JSON.
        tracking: TrackingConfig as JSON.
        pipeline: name of the pipeline.
        pipeline_run: id of this run.

    Returns:
        `yes` when the follow-up has something to ask, else `no`.
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
        Path(baseline.path),
        Path(post.path),
        Path(prompt_set.path),
        BaseModelRef.model_validate_json(base_model),
        rules,
        Path(delta.path),
        RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    )
    return "yes" if has_follow_up(report, rules) else "no"
