"""The KFP interface of publish_report: the exit handler."""

from kfp import dsl

from components.images import CPU_IMAGE


@dsl.component(base_image=CPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def publish_report(
    final_status: dsl.PipelineTaskFinalStatus,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
):
    """Writes the report of the pipeline run to MLflow and ends its MLflow run; runs last, also after a failure.

    Args:
        final_status: State in which the other steps ended; filled in by Kubeflow Pipelines.
        tracking: MLflow store and audit log, as JSON of TrackingConfig.
        pipeline: Name of the pipeline.
        pipeline_run: Id of the pipeline run.
    """
    from components.publish_report.step import publish_report as step
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig

    context = RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run)
    step(pipeline_state=final_status.state, context=context)
