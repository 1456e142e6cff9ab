"""The KFP interface of register_adapter."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Model, Output

from components.images import CPU_IMAGE


@dsl.component(base_image=CPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def register_adapter(
    adapter: Input[Model],
    gate_decision: Input[Artifact],
    registration: Output[Artifact],
    base_model: str,
    evaluation: str,
    registry: str,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
) -> str:
    """Registers the evaluated LoRA adapter as a new model version in MLflow and gives it the alias `champion`.

    Args:
        adapter: LoRA adapter passed on by check_gate. Its files must have the digest that the decision names.
        gate_decision: Decision `promote` by check_gate, or `needs_review` with a review.json that approves it.
        registration: Registered model and version, the version it replaces, and the digests of adapter and decision.
        base_model: Base model of the adapter, as JSON of BaseModelRef: path or hub id, and revision.
        evaluation: Settings of the safety evaluation, as JSON of EvaluationConfig; the system prompt is recorded.
        registry: Name of the registered model, as JSON of RegistryConfig.
        tracking: MLflow store and audit log, as JSON of TrackingConfig.
        pipeline: Name of the pipeline.
        pipeline_run: Id of the pipeline run.

    Returns:
        Number of the registered version.
    """
    from pathlib import Path

    from components.register_adapter.step import register_adapter as step
    from components.shared.config.base_model import BaseModelRef
    from components.shared.config.evaluation import EvaluationConfig
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import RegistryConfig, TrackingConfig

    return step(
        adapter_dir=Path(adapter.path),
        decision_dir=Path(gate_decision.path),
        base_model=BaseModelRef.model_validate_json(base_model),
        evaluation=EvaluationConfig.model_validate_json(evaluation),
        registry=RegistryConfig.model_validate_json(registry),
        registration_dir=Path(registration.path),
        context=RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    ).version
