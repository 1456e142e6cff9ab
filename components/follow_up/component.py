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
    reuse: bool,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
) -> str:
    """Asks prompts that look worse again, and flagged categories in other ways; loads no model when there are none.

    Args:
        delta: names the escalated prompts and the drop of every category.
        post: safety report of the adapter.
        prompt_set: the prompts.
        adapter: the adapter.
        follow_up_report: the FollowUpReport, the fresh answers and those to variants.
        base_model: BaseModelRef as JSON.
        evaluation: EvaluationConfig as JSON.
        policy: Policy as JSON.
        store: address of the content-addressed store.
        reuse: whether a finished follow-up is taken from the store.
        tracking: TrackingConfig as JSON.
        pipeline: name of the pipeline.
        pipeline_run: id of this run.

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
        Path(delta.path),
        Path(post.path),
        Path(prompt_set.path),
        Path(adapter.path),
        BaseModelRef.model_validate_json(base_model),
        EvaluationConfig.model_validate_json(evaluation),
        Policy.model_validate_json(policy),
        Store(store),
        reuse,
        Path(follow_up_report.path),
        RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    )
