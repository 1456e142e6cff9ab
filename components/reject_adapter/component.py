"""The KFP interface of reject_adapter."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Output

from components.images import CPU_IMAGE


@dsl.component(base_image=CPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def reject_adapter(
    gate_decision: Input[Artifact],
    rejection: Output[Artifact],
    tracking: str,
    pipeline: str,
    pipeline_run: str,
) -> str:
    """Leaves the evidence of a decision against the adapter on its run; makes no version of it.

    Args:
        gate_decision: the decision; any but promote.
        rejection: the Rejection.
        tracking: TrackingConfig as JSON.
        pipeline: name of the pipeline.
        pipeline_run: id of this run.

    Returns:
        The decision.
    """
    from pathlib import Path

    from components.reject_adapter.step import reject_adapter as step
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig

    context = RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run)
    return step(Path(gate_decision.path), Path(rejection.path), context).decision.value
