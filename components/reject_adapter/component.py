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
    """Records in MLflow and the audit log that the adapter was not promoted, and why; registers no model version.

    Args:
        gate_decision: Decision by check_gate: any but `promote`.
        rejection: The decision with its reason, and the digests of adapter and decision.
        tracking: MLflow store and audit log, as JSON of TrackingConfig.
        pipeline: Name of the pipeline.
        pipeline_run: Id of the pipeline run.

    Returns:
        The decision: reject, needs_review, insufficient_evidence or invalid.
    """
    from pathlib import Path

    from components.reject_adapter.step import reject_adapter as step
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig

    return step(
        decision_dir=Path(gate_decision.path),
        rejection_dir=Path(rejection.path),
        context=RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    ).decision.value
