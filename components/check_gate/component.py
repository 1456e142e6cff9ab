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
    policy: str,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
) -> str:
    """Turns policy and evidence into a decision with a reason per category.

    Args:
        training_data: what prepare_data wrote about training rows.
        prompt_set: what it wrote about prompts.
        adapter: the adapter.
        baseline: safety report of the base.
        post: safety report of the adapter.
        delta: the delta report.
        gate_decision: the GateDecision.
        passed_adapter: the adapter's files when the decision is to promote, a note when it is not.
        follow_up_key: the follow-up's key in the store.
        store: address of the content-addressed store.
        policy: Policy as JSON.
        tracking: TrackingConfig as JSON.
        pipeline: name of the pipeline.
        pipeline_run: id of this run.

    Returns:
        promote, reject, needs_review, insufficient_evidence or invalid.
    """
    from pathlib import Path

    from components.check_gate.step import check_gate as step
    from components.shared.config.policy import Policy
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig
    from components.shared.store import Store

    decision = step(
        Path(training_data.path),
        Path(prompt_set.path),
        Path(adapter.path),
        Path(baseline.path),
        Path(post.path),
        Path(delta.path),
        follow_up_key,
        Store(store),
        Policy.model_validate_json(policy),
        Path(gate_decision.path),
        Path(passed_adapter.path),
        RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    )
    return decision.decision.value
