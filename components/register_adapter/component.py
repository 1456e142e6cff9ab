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
    """Registers the adapter that was evaluated, and makes it champion.

    Args:
        adapter: the adapter that the gate passed on; its files must be the ones that the decision is about.
        gate_decision: the decision that promotes it; after a review, the reviewed decision with review.json beside it.
        registration: the Registration.
        base_model: BaseModelRef as JSON.
        evaluation: EvaluationConfig as JSON.
        registry: RegistryConfig as JSON.
        tracking: TrackingConfig as JSON.
        pipeline: name of the pipeline.
        pipeline_run: id of this run.

    Returns:
        The registered version.
    """
    from pathlib import Path

    from components.register_adapter.step import register_adapter as step
    from components.shared.config.base_model import BaseModelRef
    from components.shared.config.evaluation import EvaluationConfig
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import RegistryConfig, TrackingConfig

    return step(
        Path(adapter.path),
        Path(gate_decision.path),
        BaseModelRef.model_validate_json(base_model),
        EvaluationConfig.model_validate_json(evaluation),
        RegistryConfig.model_validate_json(registry),
        Path(registration.path),
        RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    ).version
